"""paths -> files: what a run of `qa index` looks at, and what disappeared since the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import PruneRefused
from index.parsing.loader import SUPPORTED, shown
from index.sources.ignore_rules import IgnoreRules
from index.store.file_records import FileRecord

PRUNE_SHARE = 0.2
"""More than this share of a root gone at once looks like an unmounted disk or a typing error and is
not removed without a yes; one file alone, while others are left, never does.
"""


@dataclass
class Root:
    """One path that was given: a file, or a folder with what was found below it."""

    path: Path
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    other_formats: int = 0
    excludes: IgnoreRules | None = None

    @property
    def base(self) -> Path:
        """The folder that uris are relative to."""
        return self.path if _is_folder(self.path) else self.path.parent


def discover(paths: Sequence[Path], exclude: Sequence[str] = ()) -> list[Root]:
    """Find the files below each path, in order of their names, each only once.

    Folders are walked without following links to folders, without hidden entries, and without what
    is excluded (`index.sources.ignore_rules`); a file that was given itself is never excluded.
    Files of other formats are counted, not listed. What cannot be read is a line in `problems`.
    """
    seen: set[Path] = set()
    return [_discover(path, seen, exclude) for path in paths]


def canonical_path(path: Path) -> Path:
    """The absolute path by which a file is known: its folder resolved, its own name kept."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the file's own link
    return absolute.parent.resolve() / absolute.name if absolute.name else absolute


def canonical_root(path: Path) -> Path:
    """The absolute path below which the files of a path that was given are known."""
    known = canonical_path(path)
    return known.resolve() if _is_folder(known) else known


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a folder above may not be read or the name is too long


def _discover(path: Path, seen: set[Path], exclude: Sequence[str]) -> Root:
    path = canonical_root(path)
    root = Root(path)
    if _is_folder(path):
        root.excludes = IgnoreRules(path, exclude)
        candidates = _walk(root, root.excludes)
    else:
        candidates = iter([path] if os.path.lexists(path) else [])
        root.problems.extend(
            [] if os.path.lexists(path) else ["does not exist: expected a file or a folder"]
        )
    root.files.extend(file for file in candidates if not (file in seen or seen.add(file)))  # type: ignore[func-returns-value]
    root.problems.extend(root.excludes.problems if root.excludes else [])
    return root


def _walk(root: Root, excludes: IgnoreRules) -> Iterator[Path]:
    def report(error: OSError) -> None:
        root.problems.append(
            f"folder {shown(Path(str(error.filename)).name)} cannot be read: {error.strerror}"
        )

    for folder, folders, names in os.walk(root.path, onerror=report):
        folders[:] = sorted(
            name
            for name in folders
            if not (name.startswith(".") or excludes.leaves_out(Path(folder, name), folder=True))
        )
        for path in (Path(folder, name) for name in sorted(names) if not name.startswith(".")):
            if excludes.leaves_out(path):
                continue
            if path.suffix.lower() in SUPPORTED:
                yield path
            else:
                root.other_formats += 1


def missing_files(root: Root, known: Sequence[FileRecord]) -> list[FileRecord]:
    """Those of the `known` files below `root` that are gone, or excluded now."""
    present, excludes = set(root.files), root.excludes
    absent = [file for file in known if file.path not in present]
    return [
        file
        for file in absent
        if not os.path.lexists(file.path) or (excludes and excludes.covers(file.path))
    ]


def files_to_prune(
    root: Root, known: Sequence[FileRecord], *, yes: bool, lately: int = 0
) -> list[FileRecord]:
    """What is `missing`. Raises PruneRefused when that, with so many that were removed `lately`,
    looks like an accident and `yes` is not said.
    """
    gone = missing_files(root, known)
    if gone and not yes:
        reason = _suspicion(root, len(gone) + lately, len(known) + lately)
        if reason:
            raise PruneRefused(
                f"{reason}; nothing was removed below {shown(root.path.name)}. If that is right, index it with --prune --yes"
            )
    return gone


def _suspicion(root: Root, gone: int, known: int) -> str | None:
    if root.problems:
        return f"{shown(root.path.name)}: {root.problems[0]} ({len(root.problems)} such)"
    if not root.files:
        return f"{shown(root.path.name)} has no files left, {known} were indexed"
    if gone > max(1, PRUNE_SHARE * known):
        return f"{gone} of {known} indexed files are gone, more than {PRUNE_SHARE:.0%}"
    return None
