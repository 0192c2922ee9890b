"""Word and PowerPoint files of 1997 to 2003, converted by LibreOffice where it is installed.

The conversion runs in the process that parses, with its limits of time and memory, without a
window, and with a profile of its own that is deleted afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from index.errors import DamagedFile, ExtractionLimit

CONVERSION_SECONDS = 100
"""Time of one conversion; the first one of a machine makes LibreOffice's profile, too."""
_PROGRAMS = ("soffice", "libreoffice")
_MODERN = {"doc": "docx", "ppt": "pptx"}


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
        command = [
            program,
            f"-env:UserInstallation={Path(folder, 'profile').as_uri()}",
            "--headless",
            "--norestore",
            "--convert-to",
            _MODERN[kind],
            "--outdir",
            folder,
            str(source),
        ]
        try:
            subprocess.run(  # noqa: S603 - a fixed program on a file of ours
                command, capture_output=True, timeout=CONVERSION_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ExtractionLimit("takes LibreOffice too many seconds to convert") from error
        result = source.with_suffix(f".{_MODERN[kind]}")
        if not result.exists():
            raise DamagedFile(
                "is an old Office file that LibreOffice cannot convert: "
                "open it and save it in the present format"
            )
        return result.read_bytes()
