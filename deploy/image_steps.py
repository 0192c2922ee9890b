"""Carry out the build steps of the Dockerfile in a scratch folder, without a container engine.

python deploy/image_steps.py FOLDER

It runs the COPY and RUN instructions of the build stage, with the image's paths below FOLDER, and
prints what the final stage copies, with its size.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("/opt/quoted-models", "/opt/quoted", "/tmp/quoted", "/var/lib/quoted")  # noqa: S108
"""Absolute paths of the image that the steps write."""
LIMIT_MB = 1_200
BASE_MB = 130
"""The base image, python:3.11-slim-bookworm, unpacked."""


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, arguments) of the instructions, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, arguments = line.strip().partition(" ")
        if name:
            yield name, arguments


def stages(text: str) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, FROM first."""
    found: list[list[tuple[str, str]]] = []
    for name, arguments in instructions(text):
        if name == "FROM":
            found.append([])
        found[-1].append((name, arguments))
    return found


def placed(text: str, folder: Path) -> str:
    """Return a text with the image's paths below a folder."""
    pattern = "|".join(re.escape(place) for place in PLACES)
    return re.sub(rf"(?<![\w/])({pattern})(?![\w-])", lambda found: f"{folder}{found[1]}", text)


def copy(arguments: str, build: Path) -> None:
    """Copy files of the repository as COPY does."""
    *sources, target = arguments.split()
    for source in sources:
        place = build / target
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, place, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy(ROOT / source, place / Path(source).name)


def size_mb(folder: Path) -> float:
    """Return the size of a folder in MB (10^6 bytes)."""
    files = (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    return sum(each.stat().st_size for each in files) / 1e6


def main() -> None:
    """Carry out the steps and print the sizes; exit with 1 beyond the limit."""
    folder = Path(sys.argv[1]).resolve()
    build = folder / "build"
    build.mkdir(parents=True)
    (folder / "opt").mkdir()
    (folder / "tmp").mkdir()
    building, final = stages((ROOT / "deploy" / "Dockerfile").read_text("utf-8"))
    for name, arguments in building:
        if name == "COPY":
            copy(arguments, build)
        elif name == "RUN":
            subprocess.run(["sh", "-ec", placed(arguments, folder)], cwd=build, check=True)  # noqa: S603, S607
    total = float(BASE_MB)
    for name, arguments in final:
        if name == "COPY":
            source = arguments.split()[-2]
            mb = size_mb(folder / source.lstrip("/"))
            total += mb
            sys.stdout.write(f"{source}: {mb:.0f} MB\n")
    sys.stdout.write(f"with the base image ({BASE_MB} MB): {total:.0f} MB, limit {LIMIT_MB} MB\n")
    sys.exit(0 if total <= LIMIT_MB else 1)


if __name__ == "__main__":
    main()
