"""A folder whose files are made, changed, saved, moved and deleted, and what each of them has held."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

PAUSE = 0.2
"""Seconds between two changes, at most, and between the halves of a file that is written slowly."""
MOST_GONE = 2
"""Deletions that a watcher of so few files takes for no accident."""
FEW, MANY = 12, 18
"""Files that stand in the folder."""


class Restless:
    """A folder with every content that each of its files has had, None where there was no file; no
    two contents are the same.
    """

    def __init__(self, folder: Path, chance: random.Random, *, indexed: bool) -> None:
        """`indexed`: an index holds what stands there now, else nothing."""
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
        """Name -> sha256 of what stands in the folder."""
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in self.folder.iterdir()}

    def step(self) -> None:
        """One change and a pause."""
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
        """Something new that a file will hold."""
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
        """As editors do: beside it, then in its place."""
        path, beside = self._there(), self.folder / ".saving"
        beside.write_text(self._text(path))
        beside.replace(path)

    def _write_slowly(self) -> None:
        """Half of it, a pause that may be longer than a file must be quiet, and the rest."""
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
