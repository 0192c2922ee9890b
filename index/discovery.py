"""paths -> files: what a run of `qa index` looks at, and what disappeared since the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import PruneRefused
from index.loading import SUPPORTED, shown
from index.store import StoredFile

PRUNE_SHARE = 0.2
"""More than this share of a root gone at once looks like an unmounted disk or a typing error and is not removed without a yes."""


@dataclass
class Root:
    """One path that was given: a file, or a folder with what was found below it."""

    path: Path
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    other_formats: int = 0

    @property
    def base(self) -> Path:
        """The folder that uris are relative to."""
        return self.path if _is_folder(self.path) else self.path.parent


def discover(paths: Sequence[Path]) -> list[Root]:
    """Find the files below each path, in order of their names, each only once.

    Folders are walked without following links to folders and without hidden entries; files of other formats are counted, not listed.
    What cannot be read is a line in `problems`.
    """
    seen: set[Path] = set()
    return [_discover(identity(path), seen) for path in paths]


def identity(path: Path) -> Path:
    """The absolute path by which a file is known: its folder resolved, its own name kept."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the file's own link
    return absolute.parent.resolve() / absolute.name if absolute.name else absolute


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where a folder above may not be read or the name is too long


def _discover(path: Path, seen: set[Path]) -> Root:
    if _is_folder(path):
        path = path.resolve()
    root = Root(path)
    if _is_folder(path):
        candidates = _walk(root)
    else:
        candidates = iter([path] if os.path.lexists(path) else [])
        root.problems.extend([] if os.path.lexists(path) else ["does not exist: expected a file or a folder"])
    root.files.extend(file for file in candidates if not (file in seen or seen.add(file)))  # type: ignore[func-returns-value]
    return root


def _walk(root: Root) -> Iterator[Path]:
    def report(error: OSError) -> None:
        root.problems.append(f"folder {shown(Path(str(error.filename)).name)} cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(root.path, onerror=report):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            if Path(name).suffix.lower() in SUPPORTED:
                yield Path(folder, name)
            else:
                root.other_formats += 1


def disappeared(root: Root, known: Sequence[StoredFile], *, yes: bool) -> list[StoredFile]:
    """Those of the `known` files below `root` that are gone. Raises PruneRefused when that looks like an accident and `yes` is not said."""
    present = set(root.files)
    gone = [file for file in known if file.path not in present and not os.path.lexists(file.path)]
    if gone and not yes:
        reason = _suspicion(root, len(gone), len(known))
        if reason:
            raise PruneRefused(f"{reason}; nothing was removed below {shown(root.path.name)}. If that is right, repeat with --yes")
    return gone


def _suspicion(root: Root, gone: int, known: int) -> str | None:
    if root.problems:
        return f"{shown(root.path.name)}: {root.problems[0]} ({len(root.problems)} such)"
    if not root.files:
        return f"{shown(root.path.name)} has no files left, {known} were indexed"
    if gone > PRUNE_SHARE * known:
        return f"{gone} of {known} indexed files are gone, more than {PRUNE_SHARE:.0%}"
    return None
