"""Write the lock file without what only converts models: for an installation that answers.

python deploy/make_lean_lock.py
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LOCK, LEAN = FOLDER / "requirements.lock", FOLDER / "requirements-lean.lock"
CONVERTING = {"sentence-transformers", "torch", "transformers"}
"""Packages that only convert models; the shipped models need no conversion."""
HEAD = (
    "# Made of requirements.lock by `python deploy/make_lean_lock.py`: without torch,\n"
    "# sentence-transformers and what only they need. Install it with --no-deps.\n"
)


def lean(lock: str) -> str:
    """Return a lock file without the converting packages and what only they bring."""
    entries = {
        found[1]: entry
        for entry in re.split(r"\n(?=\w)", lock)
        if (found := re.match(r"([\w.-]+)==", entry))
    }
    left_out = set(CONVERTING)
    while more := _only_for(left_out, entries) - left_out:
        left_out |= more
    kept = [entry.rstrip() for name, entry in entries.items() if name not in left_out]
    return HEAD + "\n".join(kept) + "\n"


def _only_for(left_out: set[str], entries: dict[str, str]) -> set[str]:
    """Return the packages that only left-out ones need."""
    needs = {name: _needed_by(entry) for name, entry in entries.items()}
    return {name for name, by in needs.items() if by and by <= left_out}


def _needed_by(entry: str) -> set[str]:
    """Return the names of the packages that need this one, as uv writes them behind `# via`."""
    _, _, comment = entry.partition("# via")
    return {line.strip("# ").split(" ")[0] for line in comment.splitlines() if line.strip("# ")}


def main() -> None:
    """Write the lean lock file."""
    LEAN.write_text(lean(LOCK.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
