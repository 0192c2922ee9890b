"""Text recognition of scanned PDF pages with Debian's tesseract (Apache-2.0).

Needs the extra `ocr` and the program itself. Pages are rendered and their text is recognised in
English. Recognised text has errors, and its quotes have them too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from index.formats.page_view import Box

DPI = 300
"""Resolution that tesseract's manual recommends."""
MAX_PAGES = 200
"""Pages of one file; scans of more pages take hours."""
PAGE_SECONDS = 30
"""Seconds planned for a page; a dense page takes 3 to 10 seconds on a slow core."""
LONGEST_WAIT = 10 * PAGE_SECONDS
"""Seconds after which a page is given up on a busy machine."""
MAX_PIXELS = 40_000_000
"""Pixels of a rendered page; A4 at 300 dpi has 9 million, A3 17 million."""
MIN_CONFIDENCE = 30.0
"""Confidence of 100; words below it are specks and lines of a drawing."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word with its bounding box.

    `line` holds the numbers of its block, paragraph and line on the page.
    """

    text: str
    line: tuple[int, int, int]
    box: Box


@cache
def tesseract_version() -> str | None:
    """Return the version of the installed tesseract.

    None if the program or its Python binding `pytesseract` is not installed.
    """
    program = shutil.which("tesseract")
    if program is None or find_spec("pytesseract") is None:
        return None
    try:
        output = subprocess.run(  # noqa: S603 - the system's own program, with a fixed argument
            [program, "--version"], capture_output=True, check=True, timeout=10, text=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    fields = output.split()  # "tesseract 5.3.0 ..."
    return fields[1] if len(fields) > 1 else None


def folders() -> list[str]:
    """Return the folders of the program, and of its data where the environment names one."""
    program = shutil.which("tesseract")
    named = os.environ.get("TESSDATA_PREFIX")
    return [*([str(Path(program).parent)] if program else []), *([named] if named else [])]


def words(page: Any) -> list[Word]:  # noqa: ANN401 - pypdfium2 has no types
    """Return the words that tesseract recognises on a page, in reading order.

    Deterministic: the same page gives the same words.
    """
    import pytesseract

    width, height = page.get_size()
    scale = min(DPI / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    image = page.render(scale=scale, grayscale=True).to_pil()
    columns = pytesseract.image_to_data(
        image, lang="eng", output_type=pytesseract.Output.DICT, timeout=LONGEST_WAIT
    )
    lines = zip(columns["block_num"], columns["par_num"], columns["line_num"], strict=True)
    sides = zip(columns["left"], columns["top"], columns["width"], columns["height"], strict=True)
    boxes = (
        Box(left / image.width, top / image.height, across / image.width, down / image.height)
        for left, top, across, down in sides
    )
    return [
        Word(text, line, box)
        for text, confidence, line, box in zip(
            columns["text"], columns["conf"], lines, boxes, strict=True
        )
        if text.strip() and float(confidence) >= MIN_CONFIDENCE
    ]
