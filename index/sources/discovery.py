"""Discovery of the files to index, and of those gone since the last run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import PruneRefused
from index.filesystem.file_names import existing_path
from index.parsing.loader import is_supported, shown
from index.sources.ignore_rules import IgnoreRules
from index.store.file_records import FileRecord

NEVER = (Path("/proc"), Path("/sys"), Path("/dev"))
"""Folders of which nothing is read: their files are the system's own."""
PRUNE_SHARE = 0.2
"""Largest share of a root's files that is removed without confirmation.

More at once looks like an unmounted disk or a typing error. One file alone, while others are left,
never does.
"""


@dataclass
class Root:
    """File or folder to index, with the files found there.

    `problems` has a line for each path that cannot be read, `left_out` one for each link that leads
    elsewhere, `other_formats` names the files of unsupported formats. `ignore_rules` is None for a
    single file.
    """

    path: Path
    files: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    other_formats: list[str] = field(default_factory=list)
    ignore_rules: IgnoreRules | None = None

    @property
    def base(self) -> Path:
        """Folder that the uris of documents are relative to."""
        return self.path if _is_folder(self.path) else self.path.parent


def discover(
    paths: Sequence[Path], exclude: Sequence[str] = (), *, follow_links: bool = False
) -> list[Root]:
    """Find the files below each path, sorted by name, each file only once.

    Folders are walked without links to folders, hidden entries, and entries that the patterns in
    `exclude` or ignore files leave out (`index.sources.ignore_rules`). Links to files elsewhere are
    left out unless `follow_links`: whoever may write into a folder must not choose what is read of
    the rest of the disk. A file that is named itself is left out only among those of `NEVER`.
    """
    seen: set[Path] = set()
    return [_discover_root(path, seen, exclude, follow_links=follow_links) for path in paths]


def is_found_in(root: Root, path: Path, *, follow_links: bool = False) -> bool:
    """Return True if a walk of a root that was discovered would find a file; record a link."""
    if path == root.path:
        return True
    if not path.is_relative_to(root.path) or root.ignore_rules is None:
        return False
    is_hidden = any(part.startswith(".") for part in path.relative_to(root.path).parts)
    if is_hidden or not is_supported(path) or root.ignore_rules.excludes(path):
        return False
    return not _leads_elsewhere(path, root, follow_links=follow_links)


def canonical_path(path: Path) -> Path:
    """Return the absolute path that identifies a file: links in its folder are resolved.

    The file's own name is kept, even if it is a link.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the file's own link
    return absolute.parent.resolve() / absolute.name if absolute.name else absolute


def canonical_root(path: Path) -> Path:
    """Return the canonical path of a root; links to folders are resolved."""
    canonical = canonical_path(path)
    return canonical.resolve() if _is_folder(canonical) else canonical


def _is_folder(path: Path) -> bool:
    # Path.is_dir raises if a folder above may not be read or the name is too long.
    return os.path.isdir(path)  # noqa: PTH112 - see above


def _discover_root(
    path: Path, seen: set[Path], exclude: Sequence[str], *, follow_links: bool
) -> Root:
    """Find the files of one root that are not yet in `seen`."""
    root = Root(canonical_root(existing_path(path)))
    if _is_of_the_system(root.path):
        root.problems.append("is no file of anybody's: nothing below it is read")
        return root
    if _is_folder(root.path):
        root.ignore_rules = IgnoreRules(root.path, exclude)
        candidates = [
            file
            for file in _walk(root, root.ignore_rules)
            if not _leads_elsewhere(file, root, follow_links=follow_links)
        ]
        # Problems of ignore files come last: the walk has read all of them by now.
        problems = root.ignore_rules.problems
    elif os.path.lexists(root.path):
        candidates, problems = [root.path], []
    else:
        candidates, problems = [], ["does not exist: expected a file or a folder"]
    root.files.extend(file for file in candidates if file not in seen)
    root.problems.extend(problems)
    seen.update(candidates)
    return root


def _walk(root: Root, ignore_rules: IgnoreRules) -> Iterator[Path]:
    """Yield the supported files below a root; record problems and other formats in it."""

    def report(error: OSError) -> None:
        folder = shown(Path(str(error.filename)).name)
        root.problems.append(f"folder {folder} cannot be read: {error.strerror}")

    def is_included(path: Path, *, folder: bool = False) -> bool:
        is_hidden = path.name.startswith(".")
        return not is_hidden and not ignore_rules.excludes_entry(path, folder=folder)

    for folder, subfolders, names in os.walk(root.path, onerror=report):
        # os.walk goes down into what is left in its list, in that order.
        subfolders[:] = sorted(
            name for name in subfolders if is_included(Path(folder, name), folder=True)
        )
        for path in (Path(folder, name) for name in sorted(names)):
            if not is_included(path):
                continue
            if is_supported(path):
                yield path
            else:
                root.other_formats.append(shown(path.relative_to(root.path).as_posix()))


def _leads_elsewhere(path: Path, root: Root, *, follow_links: bool) -> bool:
    """Return True for a link to a file that is not read, and record it in the root."""
    if not path.is_symlink():
        return False
    name = shown(path.relative_to(root.path).as_posix())
    if _is_of_the_system(path):
        root.left_out.append(f"{name} is a link to no file of anybody's")
        return True
    if follow_links or _resolved(path).is_relative_to(root.path):
        return False
    root.left_out.append(f"{name} is a link to a file elsewhere: name that, or add --follow-links")
    return True


def _is_of_the_system(path: Path) -> bool:
    return any(_resolved(path).is_relative_to(folder) for folder in NEVER)


def _resolved(path: Path) -> Path:
    # Path.resolve raises for a link to itself, which is found out when it is read.
    return Path(os.path.realpath(path))


def missing_files(root: Root, known: Sequence[FileRecord]) -> list[FileRecord]:
    """Return the `known` files below `root` that are gone or excluded now.

    A file that this run does not look at for another reason (hidden, unreadable, of a format that
    is no longer supported) is not missing.
    """
    present = set(root.files)
    return [
        file for file in known if file.path not in present and _is_gone_or_excluded(root, file.path)
    ]


def _is_gone_or_excluded(root: Root, path: Path) -> bool:
    if not os.path.lexists(path):
        return True
    return root.ignore_rules is not None and root.ignore_rules.excludes(path)


def files_to_prune(
    root: Root, known: Sequence[FileRecord], *, yes: bool, lately: int = 0
) -> list[FileRecord]:
    """Return the `missing_files`, whose documents may be removed.

    Raises PruneRefused unless `yes` if so many removals look like an accident, counted together
    with the number that were removed `lately`.
    """
    missing = missing_files(root, known)
    if missing and not yes:
        reason = _suspicion(root, len(missing) + lately, len(known) + lately)
        if reason:
            raise PruneRefused(
                f"{reason}; nothing was removed below {shown(root.path.name)}."
                " If that is right, index it with --prune --yes"
            )
    return missing


def _suspicion(root: Root, missing: int, known: int) -> str | None:
    """Return why `missing` of `known` files look like an accident, or None."""
    name = shown(root.path.name)
    if root.problems:
        return f"{name}: {root.problems[0]} ({len(root.problems)} such)"
    if not root.files:
        return f"{name} has no files left, {known} were indexed"
    if missing > max(1, PRUNE_SHARE * known):
        return f"{missing} of {known} indexed files are gone, more than {PRUNE_SHARE:.0%}"
    return None
