"""Measure extraction: the share of a known text's words that come out, in their order.

    python benchmarks/formats.py DIR [--worst N]

DIR holds a folder for each group (``pdf``, ``pdf-two-columns``, ``html``, ``docx``, ``epub``, ...)
with files of any supported format, and beside each file its text as it was before some program
wrote the file: ``report.pdf`` and ``report.pdf.txt``. The groups are reported apart.

What the columns mean, each the mean over the files of a group with the lowest in brackets:

- order: length of the longest common subsequence of the two sequences of words (letters and digits,
  case folded), divided by the number of known words. Words of a table's header count where they
  stand first; that they are repeated in each row costs nothing here.
- present: share of the known words that come out at all, each as often as it is known.
- more: share of the words that come out and are not in that subsequence: menus, page numbers,
  repeated headers of tables.
- seconds: for one file, in a process that has started.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from word_order import common, words

from index.errors import LoadingError
from index.parsing.loader import load
from index.parsing.sandbox import Extraction


@dataclass(frozen=True)
class Measured:
    """Figures of one file: shares in [0, 1], and seconds."""

    name: str
    order: float
    present: float
    more: float
    seconds: float
    problem: str = ""


def measured(path: Path, known: list[str], extraction: Extraction) -> Measured:
    """Extract one file and compare it with its known text."""
    began = time.perf_counter()
    try:
        document = load(path, path.parent, extract=extraction)
    except LoadingError as error:
        return Measured(path.name, 0, 0, 0, time.perf_counter() - began, str(error))
    seconds = time.perf_counter() - began
    found = words(document.text if document else "")
    length = common(known, found)
    present = (Counter(known) & Counter(found)).total()
    return Measured(
        path.name,
        length / len(known),
        present / len(known),
        1 - length / max(len(found), 1),
        seconds,
    )


def group(folder: Path) -> Iterator[Measured]:
    """Yield the figures of a folder's files whose text is known."""
    with Extraction() as extraction:
        for source in sorted(folder.glob("*.*.txt")):
            yield measured(source.with_suffix(""), words(source.read_text()), extraction)


def main() -> None:
    """Parse the arguments and print a line for each group."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--worst",
        type=int,
        default=0,
        help="also show so many files of each group, the worst first",
    )
    options = parser.parse_args()
    print(f"{'group':20} {'files':>5} {'order':>15} {'present':>15} {'more':>6} {'seconds':>8}")
    for folder in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        rows = sorted(group(folder), key=lambda row: row.order)
        if rows:
            print(group_line(folder.name, rows))
        for row in rows[: options.worst]:
            print(
                f"    {row.name:40} {row.order:.3f} {row.present:.3f} {row.more:.3f}"
                f" {row.seconds:.3f} {row.problem}"
            )


def group_line(name: str, rows: list[Measured]) -> str:
    """Return the line of a group: means, with the lowest value in brackets."""
    order = with_lowest([row.order for row in rows])
    present = with_lowest([row.present for row in rows])
    more, seconds = mean(row.more for row in rows), mean(row.seconds for row in rows)
    return f"{name:20} {len(rows):5} {order:>15} {present:>15} {more:6.3f} {seconds:8.3f}"


def with_lowest(values: list[float]) -> str:
    """Return the mean, and the lowest value in brackets."""
    return f"{mean(values):.3f} [{min(values):.3f}]"


if __name__ == "__main__":
    main()
