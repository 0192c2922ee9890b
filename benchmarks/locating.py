"""Measure how well the words of PDF files are found again on their pages.

    python benchmarks/locating.py DIR [--spans 60]

Of each PDF in a folder below DIR, spans of 1 to 30 words that begin at random are looked for, as a
citation is. Reported for each folder:

- located: share of the spans all of whose characters were found, on the pages where they stand.
- equal: share of the spans for which pdfium reads in the boxes (FPDFText_GetBoundedText, in the
  middle of each box's height, because lines reach into each other) the characters of the text, but
  for spaces, hyphens and what extraction puts between the cells of a table; in any order, because
  the names of columns stand above their cells.
"""

import argparse
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2

from index.document import TextRange
from index.errors import LoadingError
from index.formats.page_view import Box, page_texts, pages_of
from index.formats.pdf.extract import extract
from index.formats.pdf.page_view import locate_text
from index.formats.text_builder import ExtractedText

LENGTHS = (1, 2, 3, 5, 12, 30)
MIDDLE = (0.25, 0.75)
EDGE = 0.1
"""Points by which the characters beside a box may overlap it."""


def spans(found: ExtractedText, number: int) -> Iterator[TextRange]:
    """Yield random runs of words, none beyond the end of a paragraph."""
    chance = random.Random(1)
    units = [unit for block in found.blocks for unit in block.units]
    for start, end in chance.choices(units, k=number):
        words = [
            (start + word.start(), start + word.end())
            for word in re.finditer(r"\S+", found.text[start:end])
        ]
        first = chance.randrange(len(words))
        yield words[first][0], words[min(len(words), first + chance.choice(LENGTHS)) - 1][1]


def looked_for(
    data: bytes, document: pypdfium2.PdfDocument, found: ExtractedText, span: TextRange
) -> tuple[bool, str]:
    """Search a span; return if all of it was found, and the text that pdfium reads in its boxes."""
    numbers, complete, text = list(pages_of(found.places, *span)), True, ""
    for number in numbers:
        view = locate_text(data, number, page_texts(found.text, found.places, number), *span)
        complete = complete and not view.missing
        text += "".join(read(document[number - 1], box) for box in view.boxes)
        if view.continues and number + 1 not in numbers:
            numbers.append(number + 1)
    return complete, text


def read(page: pypdfium2.PdfPage, box: Box) -> str:
    """Return the text in the middle of a box, on a page that is neither turned nor cropped."""
    width, height = page.get_size()
    bottom, top = (height * (1 - box.top - share * box.height) for share in reversed(MIDDLE))
    return page.get_textpage().get_text_bounded(
        width * box.left + EDGE, bottom, width * (box.left + box.width) - EDGE, top
    )


def folded(text: str) -> str:
    """Return the characters in order, without those that may differ."""
    return "".join(sorted(re.sub(r"[\s\x02\xad\ufffe:;|‐-]", "", text)))


def measured(path: Path, number: int) -> tuple[int, int, int]:
    """Count the spans of a file that were searched, that were found, and that pdfium reads."""
    data = path.read_bytes()
    try:
        found = extract(data)
    except LoadingError:
        return 0, 0, 0
    document = pypdfium2.PdfDocument(data)
    results = [(span, *looked_for(data, document, found, span)) for span in spans(found, number)]
    equal = sum(folded(text) == folded(found.text[slice(*span)]) for span, _, text in results)
    return len(results), sum(complete for _, complete, _ in results), equal


def main() -> None:
    """Parse the arguments and print a line for each folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spans", type=int, default=60, help="of each file")
    options = parser.parse_args()
    print(f"{'folder':30} {'files':>5} {'spans':>6} {'located':>8} {'equal':>8}")
    for folder in sorted({path.parent for path in options.folder.rglob("*.pdf")}):
        rows = [
            row
            for path in sorted(folder.glob("*.pdf"))
            if (row := measured(path, options.spans))[0]
        ]
        if rows:
            tried, complete, equal = map(sum, zip(*rows, strict=True))
            print(
                f"{folder.name:30} {len(rows):5} {tried:6}"
                f" {complete / tried:8.4f} {equal / tried:8.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
