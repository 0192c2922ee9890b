"""Ignore rules: .gitignore patterns in `.quotedignore` files and on the command line.

A repository's .gitignore is not read: the files that git ignores (downloads, exports, private
notes) are often just those that one wants to ask about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from index.errors import InvalidPattern
from index.filesystem.file_names import composed

IGNORE_FILE = ".quotedignore"
"""File of ignore patterns for its folder and all folders below.

It is read at each run; the patterns of `--exclude` hold for one run.
"""
_Rules = tuple[Path, GitIgnoreSpec]
"""Patterns, with the folder that they are relative to."""


def checked_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the patterns if all of them are valid.

    Raises InvalidPattern, which names the first invalid one.
    """
    for pattern in patterns:
        _parse([pattern])
    return tuple(patterns)


class IgnoreRules:
    """Ignore rules below a root.

    As in git, the deepest ignore file with a matching pattern decides; the patterns of the command
    line come before all files. `problems` has a line for each invalid pattern and unreadable file.
    """

    def __init__(self, root: Path, patterns: Sequence[str] = ()) -> None:
        """Add patterns of the command line to a root; raises InvalidPattern."""
        self.root = root
        self.problems: list[str] = []
        self._command_line: list[_Rules] = [(root, _parse(patterns))] if patterns else []
        self._rules_of: dict[Path, list[_Rules]] = {}

    def excludes_entry(self, path: Path, *, folder: bool = False) -> bool:
        """Return True if the rules exclude a path by its own name.

        For a walk from the root, which does not enter excluded folders; `excludes` examines the
        folders above, too.
        """
        slash = "/" if folder else ""
        for base, spec in self._rules(path.parent):
            name = composed(path.relative_to(base).as_posix())
            verdict = spec.check_file(name + slash).include
            if verdict is not None:
                return verdict
        return False

    def excludes(self, path: Path) -> bool:
        """Return True if the rules exclude a path or a folder above it."""
        if path == self.root or self.root not in path.parents:
            return False
        depth = len(path.relative_to(self.root).parts)
        folders_from_root = reversed(path.parents[: depth - 1])
        if any(self.excludes_entry(folder, folder=True) for folder in folders_from_root):
            return True
        return self.excludes_entry(path)

    def _rules(self, folder: Path) -> list[_Rules]:
        """Return the rules for the entries of a folder, in order of precedence."""
        if folder not in self._rules_of:
            inherited: list[_Rules] = []
            if folder != self.root:
                # The rules of the command line lead the list of every folder.
                inherited = self._rules(folder.parent)[len(self._command_line) :]
            spec = self._read(folder / IGNORE_FILE)
            own: list[_Rules] = [(folder, spec)] if spec.patterns else []
            self._rules_of[folder] = [*self._command_line, *own, *inherited]
        return self._rules_of[folder]

    def _read(self, file: Path) -> GitIgnoreSpec:
        try:
            lines = file.read_text("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            self.problems.append(f"{IGNORE_FILE} cannot be read: {error.strerror}")
            lines = []
        return _parse(list(self._valid(lines)))

    def _valid(self, lines: Sequence[str]) -> Iterable[str]:
        """Yield the valid lines of an ignore file, and record the others as problems."""
        for number, line in enumerate(lines, 1):
            try:
                _parse([line])
            except InvalidPattern as error:
                self.problems.append(f"{IGNORE_FILE}, line {number}: {error}")
            else:
                yield line


def _parse(patterns: Sequence[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(map(composed, patterns))
    except ValueError as error:
        raise InvalidPattern(
            f"expected a pattern as in a .gitignore, got {' '.join(patterns)!r}: {error}"
        ) from error
