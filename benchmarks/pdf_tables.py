"""Measure the tables of PDF files that `benchmarks/pdf_files.py DIR` has written.

    python benchmarks/pdf_tables.py DIR

- cells: share of the cells that stand as "name: value" in a line that begins with the first cell of
  their row; of a table of two columns "first: second" is as good.
- rows: share of the rows that come out as one line, whole and with nothing else.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pdf_files import TABLES

from index.formats.pdf.extract import extract


def scores(lines: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (right cells, cells, whole rows, rows) of each table."""
    for names, *rows in TABLES:
        right = whole = 0
        for row in rows:
            row_right, row_whole = row_score(names, row, lines)
            right += row_right
            whole += row_whole
        cells = sum(bool(cell) for row in rows for cell in row[1:])
        yield right, cells, whole, len(rows)


def row_score(names: list[str], row: list[str], lines: list[str]) -> tuple[int, bool]:
    """Return the number of right cells of a row, and if it is whole in one line."""
    wanted = [f"{name}: {cell}" for name, cell in zip(names, row, strict=True) if cell]
    pair = f"{row[0]}: {row[1]}" if len(row) == 2 else None
    is_whole = any(line in {"; ".join(wanted), pair} for line in lines)
    own = [f"{line};" for line in lines if line.startswith(wanted[0])]
    if pair in lines:
        return len(wanted[1:]), is_whole
    right = sum(any(f"; {cell};" in line for line in own) for cell in wanted[1:])
    return right, is_whole


def measure(folder: Path) -> None:
    """Print the shares of each file and of all."""
    sums = [0, 0, 0, 0]
    for path in sorted(folder.glob("*.pdf")):
        lines = [
            " ".join(line.replace("ﬁ", "fi").replace("ﬂ", "fl").split())
            for line in extract(path.read_bytes()).text.split("\n")
        ]
        tables = list(scores(lines))
        sums = [total + sum(table[at] for table in tables) for at, total in enumerate(sums)]
        cells = " ".join(f"{right}/{count}" for right, count, *_ in tables)
        print(f"{path.name:24} cells {cells}  rows {sum(table[2] for table in tables)}/82")
    print(
        f"cells {sums[0] / sums[1]:.3f} of {sums[1]:,}, rows {sums[2] / sums[3]:.3f} of {sums[3]:,}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    measure(parser.parse_args().folder)
