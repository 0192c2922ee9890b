"""What is left out of a folder: patterns as in a .gitignore, in `.quotedignore` files and on the
command line.

A repository's .gitignore is not read: what git leaves out (downloads, exports, private notes) is
often just what one wants to ask about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from index.errors import InvalidPattern

IGNORE_FILE = ".quotedignore"
"""Its patterns hold for its folder and all below, and are read at each run; `--exclude` holds for
one run.
"""


def checked_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns; raises InvalidPattern, which names the first one that cannot be used."""
    for pattern in patterns:
        _parsed([pattern])
    return tuple(patterns)


class IgnoreRules:
    """What is left out below a root. As in git, the deepest file that says anything of a path
    decides, and the command line before them all.
    """

    def __init__(self, root: Path, patterns: Sequence[str] = ()) -> None:
        """Raises InvalidPattern."""
        self.root = root
        self.problems: list[str] = []
        self._given = [(root, _parsed(patterns))] if patterns else []
        self._rules: dict[Path, list[tuple[Path, GitIgnoreSpec]]] = {}

    def leaves_out(self, path: Path, *, folder: bool = False) -> bool:
        """Whether a path below the root is left out by its own name; that of a folder above counts
        in `covers`.
        """
        slash = "/" if folder else ""
        for base, spec in self._active(path.parent):
            said = spec.check_file(path.relative_to(base).as_posix() + slash).include
            if said is not None:
                return said
        return False

    def covers(self, path: Path) -> bool:
        """Whether a path below the root, or a folder on the way to it, is left out."""
        if path == self.root or self.root not in path.parents:
            return False
        above = path.parents[: len(path.relative_to(self.root).parts) - 1]
        return any(
            self.leaves_out(folder, folder=True) for folder in reversed(above)
        ) or self.leaves_out(path)

    def _active(self, folder: Path) -> list[tuple[Path, GitIgnoreSpec]]:
        """What has a say about the entries of a folder, each with the folder that its patterns
        start from, the last word first.
        """
        if folder not in self._rules:
            above = self._active(folder.parent)[len(self._given) :] if folder != self.root else []
            spec = self._read(folder / IGNORE_FILE)
            self._rules[folder] = [
                *self._given,
                *([(folder, spec)] if spec.patterns else []),
                *above,
            ]
        return self._rules[folder]

    def _read(self, file: Path) -> GitIgnoreSpec:
        try:
            lines = file.read_text("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            self.problems.append(f"{IGNORE_FILE} cannot be read: {error.strerror}")
            lines = []
        return _parsed(list(self._usable(lines)))

    def _usable(self, lines: Sequence[str]) -> Iterable[str]:
        for number, line in enumerate(lines, 1):
            try:
                _parsed([line])
            except InvalidPattern as error:
                self.problems.append(f"{IGNORE_FILE}, line {number}: {error}")
            else:
                yield line


def _parsed(patterns: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise InvalidPattern(
            f"expected a pattern as in a .gitignore, got {' '.join(patterns)!r}: {error}"
        ) from error
