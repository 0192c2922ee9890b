"""Measure the reading order of files: the share of a truth's words that come out in order.

    python benchmarks/order.py DIR [--with EXTRACTOR] [--worst N]
    python benchmarks/order.py DIR --tree OTHER [--rounds N]

DIR holds a folder for each collection or format with files of any supported format, and beside each
its text in reading order: ``paper.pdf`` and ``paper.pdf.txt``, or ``paper.pdf.md`` whose Markdown
is stripped. The share is the length of the longest common subsequence of the two sequences of words
(letters and digits, case folded), divided by the number of the truth's words. Pictures, charts and
formulas in a truth are no text and do not count.

``--with`` measures another extractor, which has to be installed: for PDF files pypdf, pdfminer,
pdfplumber, pypdfium2 (its plain text) or pymupdf4llm, for Word docx2txt, for many formats
markitdown. Each reads all files in this process. ``benchmarks/truths.py`` lays out public test
files with their truths.

``--tree`` compares the CPU seconds in which this checkout and another one read the PDF files, in
turn in one run, without truths. A ratio above 1 means that this one is faster.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from word_order import common, markdown_text, words

Extract = Callable[[Path], str]


@dataclass(frozen=True)
class Measured:
    """Figures of one file: shares in [0, 1], CPU seconds, and the number of the truth's words."""

    name: str
    order: float
    more: float
    seconds: float
    known: int
    problem: str = ""


def by_quoted(path: Path) -> str:
    """Return the text that the product extracts."""
    from index.parsing.loader import load
    from index.parsing.sandbox_worker import extract

    document = load(path, path.parent, extract=lambda kind, data: extract(kind.name, data))
    if document is None:
        return ""
    return "\n\n".join(each.text for each in (document, *document.parts))


def by_pypdf(path: Path) -> str:
    """Return the text of pypdf, page by page."""
    import pypdf

    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def by_pdfminer(path: Path) -> str:
    """Return the text of pdfminer.six with its layout analysis."""
    from pdfminer.high_level import extract_text

    return extract_text(path)


def by_pdfplumber(path: Path) -> str:
    """Return the text of pdfplumber, page by page."""
    import pdfplumber

    with pdfplumber.open(path) as document:
        return "\n".join(page.extract_text() for page in document.pages)


def by_pypdfium2(path: Path) -> str:
    """Return the text of pdfium in the order of the file's content."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def by_pymupdf4llm(path: Path) -> str:
    """Return the Markdown of pymupdf4llm, stripped."""
    import pymupdf4llm

    return markdown_text(pymupdf4llm.to_markdown(str(path), show_progress=False))


def by_docx2txt(path: Path) -> str:
    """Return the text of docx2txt."""
    import docx2txt

    return str(docx2txt.process(path))


def by_markitdown(path: Path) -> str:
    """Return the Markdown of markitdown, stripped."""
    from markitdown import MarkItDown

    return markdown_text(MarkItDown().convert(str(path)).markdown)


EXTRACTORS: dict[str, Extract] = {
    "quoted": by_quoted,
    "pypdf": by_pypdf,
    "pdfminer": by_pdfminer,
    "pdfplumber": by_pdfplumber,
    "pypdfium2": by_pypdfium2,
    "pymupdf4llm": by_pymupdf4llm,
    "docx2txt": by_docx2txt,
    "markitdown": by_markitdown,
}


def truth_of(path: Path) -> str | None:
    """Return the text of a file's truth, None if it has none."""
    plain, markdown = Path(f"{path}.txt"), Path(f"{path}.md")
    if plain.exists():
        return plain.read_text()
    return markdown_text(markdown.read_text()) if markdown.exists() else None


def measured(path: Path, truth: str, extract: Extract) -> Measured:
    """Extract one file and compare it with its truth; one that fails has no words."""
    began, problem = time.process_time(), ""
    try:
        text = extract(path)
    except Exception as error:  # noqa: BLE001 - whatever another program fails with is its figure
        text, problem = "", f"{type(error).__name__}: {error}"
    seconds = time.process_time() - began
    found = words(text)
    known = words(truth)
    length = common(known, found)
    more = 1 - length / max(len(found), 1)
    return Measured(path.name, length / len(known), more, seconds, len(known), problem)


def measure(folder: Path, extract: Extract, worst: int) -> None:
    """Print a line for each collection: mean over files and over words, lowest, CPU seconds."""
    print(
        f"{'collection':24} {'files':>5} {'order':>6} {'by word':>7} {'lowest':>6} {'seconds':>8}"
    )
    for collection in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = [path for path in sorted(collection.iterdir()) if path.is_file()]
        pairs = [(path, truth_of(path)) for path in files]
        rows = [measured(path, truth, extract) for path, truth in pairs if truth and words(truth)]
        if not rows:
            continue
        rows.sort(key=lambda row: row.order)
        by_word = sum(row.order * row.known for row in rows) / sum(row.known for row in rows)
        print(
            f"{collection.name:24} {len(rows):5} {mean(row.order for row in rows):6.3f}"
            f" {by_word:7.3f} {rows[0].order:6.3f} {sum(row.seconds for row in rows):8.2f}"
        )
        for row in rows[:worst]:
            print(
                f"    {row.name:44} {row.order:.3f} of {row.known:6,}, {row.more:.3f} more,"
                f" {row.seconds:.2f} s {row.problem}"
            )


def cpu_seconds(tree: Path, folder: Path) -> float:
    """Return the CPU seconds in which a checkout extracts all PDF files below a folder."""
    code = (
        "import sys, time, pathlib\n"
        "from index.errors import LoadingError\n"
        "try:\n"
        "    from index.formats.pdf.extract import extract\n"
        "except ImportError:\n"  # checkouts of before had one module of it
        "    from index.formats.pdf import extract\n"
        "began = time.process_time()\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).rglob('*.pdf')):\n"
        "    try:\n"
        "        extract(path.read_bytes())\n"
        "    except LoadingError:\n"
        "        pass\n"
        "print(time.process_time() - began)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-c", code, str(folder.resolve())]
    done = subprocess.run(
        command, env=environment, cwd=tree, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def compare_speed(folder: Path, other: Path, rounds: int) -> None:
    """Print the median CPU seconds of this checkout and another, measured in turn."""
    here = Path(__file__).parent.parent
    times: dict[Path, list[float]] = {here: [], other: []}
    for _ in range(rounds):
        for tree, seconds in times.items():
            seconds.append(cpu_seconds(tree, folder))
    ours, theirs = (median(seconds) for seconds in times.values())
    print(f"{ours:.2f} s here, {theirs:.2f} s there: {theirs / ours:.2f} times as fast")


def main() -> None:
    """Parse the arguments and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--with", dest="extractor", choices=EXTRACTORS, default="quoted")
    parser.add_argument("--worst", type=int, default=0, help="show so many files of each, too")
    parser.add_argument("--tree", type=Path, help="another checkout to compare the speed with")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.tree:
        compare_speed(options.folder, options.tree.resolve(), options.rounds)
    else:
        measure(options.folder, EXTRACTORS[options.extractor], options.worst)


if __name__ == "__main__":
    main()
