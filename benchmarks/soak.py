"""Anonymous memory of a process that answers on and on while its documents change.

    python benchmarks/soak.py [--generations N] [--questions N]

A document of a folder is written anew in each generation, and questions are asked after each. The
largest memory of the last third must not be more than a twentieth above that of the first third,
whose own first tenth, while caches fill, does not count.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from qa.benchmark.processes import Memory
from qa.interfaces.python import Library

DOCUMENTS = 40
MOST_GROWTH = 1.05
_MEGA = 1e6


def written(number: int, version: int) -> str:
    """Return the text of a document in one of its versions."""
    rows = [
        f"Machine {number}-{part} stands in room {100 + part} and was last checked in week "
        f"{(version + part) % 52 + 1}. Its hose is {10 + (version * part) % 90} m long."
        for part in range(12)
    ]
    return f"# Machines of hall {number}\n\n" + "\n\n".join(rows) + "\n"


def measured(library: Library, folder: Path, generations: int, questions: int) -> Iterator[float]:
    """Yield the anonymous memory, in MB, after each generation with its share of the questions."""
    for generation in range(1, generations + 1):
        number = generation % DOCUMENTS
        (folder / f"hall{number}.md").write_text(written(number, generation))
        library.index(folder)
        for asked in range(questions // generations):
            hall, part = (generation + asked) % DOCUMENTS, asked % 12
            library.ask(f"In which room is machine {hall}-{part}?", top_k=1)
        gc.collect()
        memory = Memory.of().anonymous / _MEGA
        if generation % 20 == 0:
            print(f"{generation} generations: {memory:.0f} MB", flush=True)
        yield memory


def main() -> int:
    """Print the memory as it goes and whether it stayed; return 1 if it grew."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--generations", type=int, default=200)
    arguments.add_argument("--questions", type=int, default=20_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "files")
        folder.mkdir()
        for number in range(DOCUMENTS):
            (folder / f"hall{number}.md").write_text(written(number, 0))
        with Library(Path(name, "data")) as library:
            library.index(folder)
            memory = list(measured(library, folder, given.generations, given.questions))
    third = len(memory) // 3
    first, last = max(memory[third // 10 : third]), max(memory[-third:])
    print(
        f"anonymous memory: {first:.0f} MB in the first third, {last:.0f} in the last "
        f"({last / first:.3f})"
    )
    return int(last > MOST_GROWTH * first)


if __name__ == "__main__":
    sys.exit(main())
