"""Word and PowerPoint files of 1997 to 2003, converted by LibreOffice where it is installed.

The conversion runs in a process that the one that parses starts, inside its fence and its limit of
memory, without a window, and with a profile of its own that is deleted afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from index.errors import DamagedFile, ExtractionLimit

CONVERSION_SECONDS = 100
"""Time of one conversion; the first one of a machine makes LibreOffice's profile, too."""
_PROGRAMS = ("soffice", "libreoffice")
_MODERN = {"doc": "docx", "ppt": "pptx"}
_LIBRARIES = ("libmergedlo.so", "libsofficeapp.so")
"""Names of LibreOffice's library, which stands beside its program."""
_SETTINGS = ("/etc/libreoffice", "/var/lib/libreoffice")
"""Folders where Debian keeps LibreOffice's settings."""


@cache
def converter() -> str | None:
    """Return the path of LibreOffice, None if it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def modernised(data: bytes, kind: str) -> bytes:
    """Return a file of the format "doc" or "ppt" in the present format.

    Raises DamagedFile if LibreOffice cannot read it, ExtractionLimit if it takes too long.
    """
    program = converter()
    if program is None:
        raise DamagedFile("needs LibreOffice, which is not installed any more")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"file.{kind}")
        source.write_bytes(data)
        result = source.with_suffix(f".{_MODERN[kind]}")
        try:
            subprocess.run(  # noqa: S603 - a fixed program on a file of ours
                _command(program, source, result),
                capture_output=True,
                timeout=CONVERSION_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ExtractionLimit("takes LibreOffice too many seconds to convert") from error
        if not result.exists():
            raise DamagedFile(
                "is an old Office file that LibreOffice cannot convert: "
                "open it and save it in the present format"
            )
        return result.read_bytes()


def folders() -> list[str]:
    """Return the folders that LibreOffice reads besides those of all programs."""
    program = converter()
    return [] if program is None else [str(Path(program).resolve().parent.parent), *_SETTINGS]


def _command(program: str, source: Path, result: Path) -> list[str]:
    """Return the command that converts a file: by LibreOffice's library, if it has one."""
    beside = Path(program).resolve().parent
    library = next((beside / name for name in _LIBRARIES if (beside / name).exists()), None)
    file_format = result.suffix.removeprefix(".")
    if library is not None:
        module = "index.formats.libreoffice_kit"
        paths = [str(library), str(source), str(result), file_format]
        return [sys.executable, "-P", "-m", module, *paths]
    return [
        program,
        f"-env:UserInstallation={(source.parent / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "--convert-to",
        file_format,
        "--outdir",
        str(source.parent),
        str(source),
    ]
