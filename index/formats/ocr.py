"""Scanned PDF files, where the extra `ocr` and Debian's tesseract (Apache-2.0) are installed: pages
rendered, their text recognised in English.

Recognised text has errors, and its quotes have them too.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from index.formats.page_view import Box

DPI = 300
"""What tesseract's manual recommends."""
MAX_PAGES = 200
"""Of one file; scans of more pages take hours."""
PAGE_SECONDS = 30
"""A dense page takes 3 to 10 seconds on a slow core."""
MAX_PIXELS = 40_000_000
"""Of a rendered page; A4 at 300 dpi has 9 million, A3 17 million."""
CONFIDENCE = 30.0
"""Words below this (of 100) are specks and lines of a drawing."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was recognised: its text, the numbers of its block, paragraph and line, and where
    it stands.
    """

    text: str
    line: tuple[int, int, int]
    box: Box


@cache
def tesseract_version() -> str | None:
    """The version of the tesseract that would recognise text, None if it or its Python door is not
    installed.
    """
    program = shutil.which("tesseract")
    if program is None or find_spec("pytesseract") is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603
            [program, "--version"], capture_output=True, check=True, timeout=10, text=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return said.split()[1] if len(said.split()) > 1 else None


def words(page: Any) -> list[Word]:  # noqa: ANN401
    """The words that are recognised on a page, in reading order; the same page gives the same."""
    import pytesseract

    width, height = page.get_size()
    scale = min(DPI / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    image = page.render(scale=scale, grayscale=True).to_pil()
    found = pytesseract.image_to_data(
        image, lang="eng", output_type=pytesseract.Output.DICT, timeout=PAGE_SECONDS
    )
    lines = zip(found["block_num"], found["par_num"], found["line_num"], strict=True)
    sides = zip(found["left"], found["top"], found["width"], found["height"], strict=True)
    boxes = (
        Box(left / image.width, top / image.height, across / image.width, down / image.height)
        for left, top, across, down in sides
    )
    return [
        Word(text, line, box)
        for text, confidence, line, box in zip(
            found["text"], found["conf"], lines, boxes, strict=True
        )
        if text.strip() and float(confidence) >= CONFIDENCE
    ]
