"""A folder whose files change all the time, with a record of their contents."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

PAUSE = 0.2
"""Longest pause in seconds between two changes, and between the halves of a slow write."""
MOST_GONE = 2
"""Deletions that a watcher of so few files does not take for an accident."""
FEW, MANY = 12, 18
"""Least and largest number of files in the folder."""


class Restless:
    """A folder with every content that each of its files has had.

    None stands for a time without the file. No two contents are the same.
    """

    def __init__(self, folder: Path, chance: random.Random, *, indexed: bool) -> None:
        """Fill the folder; `indexed` says that an index holds its present files."""
        self.folder, self._chance, self._gone = folder, chance, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.had: dict[str, list[str | None]] = {
            f"{number}.md": [None] for number in range(MANY + 8)
        }
        for name, digest in self.files().items():
            self.had[name] = [digest] if indexed else [None, digest]
        while len(self.files()) < FEW:
            self._make()

    def files(self) -> dict[str, str]:
        """Return the sha256 of each file in the folder, by name."""
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in self.folder.iterdir()}

    def step(self) -> None:
        """Make one change and pause."""
        steps: list[Callable[[], None]] = [self._change, self._save, self._move, self._write_slowly]
        count = len(list(self.folder.iterdir()))
        steps += [self._make] if count < MANY else []
        steps += [self._delete] * 2 if self._gone < MOST_GONE and count > FEW else []
        self._chance.choice(steps)()
        self._pause()

    def _pause(self) -> None:
        time.sleep(self._chance.uniform(0, PAUSE))

    def _there(self) -> Path:
        return self._chance.choice(sorted(self.folder.glob("*.md")))

    def _free(self) -> Path:
        return self._chance.choice(
            [path for path in map(self.folder.joinpath, self.had) if not path.exists()]
        )

    def _text(self, path: Path) -> str:
        """Return a new content for a file, and record it."""
        text = (
            f"# Tide\n\nThe tide turns at {self._chance.random()}.\n\n"
            + "It falls slowly. " * self._chance.randrange(40)
        )
        self.had[path.name].append(sha256(text.encode()).hexdigest())
        return text

    def _make(self) -> None:
        path = self._free()
        path.write_text(self._text(path))

    def _change(self) -> None:
        path = self._there()
        path.write_text(self._text(path))

    def _save(self) -> None:
        """Save as editors do: write beside the file, then rename."""
        path, beside = self._there(), self.folder / ".saving"
        beside.write_text(self._text(path))
        beside.replace(path)

    def _write_slowly(self) -> None:
        """Write a file in halves, with a pause that may exceed the debounce time."""
        path = self._there()
        half = self._text(path)
        rest = "It rises slowly. " * self._chance.randrange(1, 40)
        self.had[path.name].append(sha256((half + rest).encode()).hexdigest())
        with path.open("w") as file:
            file.write(half)
            file.flush()
            self._pause()
            file.write(rest)

    def _move(self) -> None:
        path, target = self._there(), self._free()
        self.had[target.name].append(self.files()[path.name])
        self.had[path.name].append(None)
        path.rename(target)

    def _delete(self) -> None:
        path = self._there()
        self._gone += 1
        self.had[path.name].append(None)
        path.unlink()
