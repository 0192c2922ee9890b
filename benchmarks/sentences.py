"""Compare sentence segmentation libraries: boundaries, cut answers, speed.

    python benchmarks/sentences.py --data DIR [--paragraphs 5000]

DIR holds ``reader/*.json.gz`` in SQuAD format: ``squad2-train-partial``, ``nq-train``,
``shifts-reddit`` and ``fairytale-train``. The libraries are installed apart from the product; one
that is missing is skipped with a line. All of them report offsets, or tokens with offsets, so none
is located by searching.

What the columns mean:

- accuracy, precision, recall, F1: on ``sentence_boundaries.jsonl``, 200 positions labelled by hand,
  most of them hard on purpose (abbreviations, initials, quotes, ellipses), each judged in its whole
  paragraph. A figure here is a ranking of libraries, not the accuracy on everyday text.
- cut: the share of SQuAD answers with a boundary strictly inside them. Some answers do span two
  sentences, so the floor is not zero; a library that never breaks would score zero, so read it
  beside the recall.
- faulty: texts whose spans overlap, leave the text, or leave out a character that is not white
  space.
- MB/s: millions of characters a second, paragraph by paragraph; the median of three disjoint
  slices, so that no cache helps.
- first: seconds to import the library and segment one sentence, in a fresh process, beyond the
  modules that this script imports.

A label holds no text: ``source`` names the file, ``paragraph`` is the beginning of the SHA-256 of
the paragraph's ``context`` (UTF-8, in hexadecimal), ``offset`` is the position in it, in
characters, and ``boundary`` tells whether a sentence ends there.
"""

import argparse
import gzip
import hashlib
import json
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from segmenters import LIBRARIES, Segmenter, Span

LABELS = Path(__file__).with_name("sentence_boundaries.jsonl")
SQUAD = "squad2-train-partial.json.gz"
PREFIX = 16  # hexadecimal digits of a SHA-256 in a label
WIDTH = max(map(len, LIBRARIES))
TERMINATOR = re.compile(r"[.!?…]+[\"'’”)\]]*$")
SEED = 20
SPEED_PARAGRAPHS = 1000  # a slice, at most: 5 s for the slowest library, 30 ms for the fastest


@dataclass(frozen=True)
class Label:
    """A position in a paragraph; `boundary` is True if a sentence ends there."""

    text: str
    offset: int
    boundary: bool


@dataclass(frozen=True)
class Paragraph:
    """A SQuAD paragraph and the distinct spans of its answers."""

    text: str
    answers: tuple[Span, ...]


@dataclass(frozen=True)
class Score:
    """Figures of a library on the labels."""

    accuracy: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


def tighten(spans: Iterable[Span], text: str) -> list[Span]:
    """Take the white space off both ends of every span and drop empty ones."""
    tight = []
    for start, end in spans:
        piece = text[start:end]
        first = start + len(piece) - len(piece.lstrip())
        last = first + len(piece.strip())
        if first < last:
            tight.append((first, last))
    return tight


def faulty(spans: list[Span], text: str) -> bool:
    """Return True if tight spans overlap, leave the text or leave out a visible character."""
    position = 0
    for start, end in [*spans, (len(text), len(text))]:
        if start < position or end > len(text) or text[position:start].strip():
            return True
        position = end
    return False


def read_items(path: Path) -> list[dict[str, Any]]:
    """Return the paragraphs of a SQuAD file unchanged."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [item for article in json.load(file)["data"] for item in article["paragraphs"]]
    except FileNotFoundError:
        sys.exit(f"{path} is missing: --data names the folder that holds reader/*.json.gz")


def read_labels(reader: Path) -> list[Label]:
    """Read the hand-made labels and find their paragraphs in the files of ``reader``.

    Labels are JSON lines.
    """
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    contexts: dict[str, dict[str, str]] = {}
    for source in {row["source"] for row in rows}:
        texts = [item["context"] for item in read_items(reader / source)]
        contexts[source] = {
            hashlib.sha256(text.encode()).hexdigest()[:PREFIX]: text for text in texts
        }
    for row in rows:
        if row["paragraph"] not in contexts[row["source"]]:
            sys.exit(
                f"{reader / row['source']}: no context has a SHA-256 that starts with "
                f"{row['paragraph']}, which label {row['id']} needs; the labels were made on "
                "another version of this file"
            )
    return [
        Label(contexts[row["source"]][row["paragraph"]], row["offset"], row["boundary"])
        for row in rows
    ]


def read_paragraphs(path: Path, count: int) -> list[Paragraph]:
    """Draw ``count`` paragraphs with answers from a SQuAD file, the same ones every time."""
    paragraphs = [Paragraph(item["context"], answer_spans(item)) for item in read_items(path)]
    answered = [paragraph for paragraph in paragraphs if paragraph.answers]
    return random.Random(SEED).sample(answered, min(count, len(answered)))


def answer_spans(item: dict[str, Any]) -> tuple[Span, ...]:
    """Return the distinct answer spans of one SQuAD paragraph, in order."""
    answers = [answer for question in item["qas"] for answer in question["answers"]]
    return tuple(
        sorted(
            {
                (found["answer_start"], found["answer_start"] + len(found["text"]))
                for found in answers
            }
        )
    )


def decide(segmenter: Segmenter, label: Label) -> tuple[bool, bool]:
    """Segment a label's paragraph and look for a break at the label's position.

    Returns two booleans: a break lies at or inside the punctuation, and it lies exactly at the
    position. A break between a full stop and its closing quote is near the position but not at it:
    wrong whatever the label says.
    """
    position = label.offset
    ending = TERMINATOR.search(label.text[:position])
    first = ending.start() + 1 if ending else position
    after = len(label.text) - len(label.text[position:].lstrip())
    spans = tighten(segmenter(label.text), label.text)
    breaks = [(left[1], right[0]) for left, right in pairwise(spans)]
    near = [found for found in breaks if first <= found[1] <= after]
    return bool(near), near == [(position, after)]


def judge(segmenter: Segmenter, labels: list[Label]) -> Score:
    """Score a segmenter on the labels."""
    decisions = [(label.boundary, *decide(segmenter, label)) for label in labels]
    found = sum(boundary and exact for boundary, _, exact in decisions)
    reported = sum(near for _, near, _ in decisions)
    right = sum(near == exact == boundary for boundary, near, exact in decisions)
    return Score(
        right / len(labels),
        found / max(reported, 1),
        found / sum(label.boundary for label in labels),
    )


def cut_share(segmenter: Segmenter, paragraphs: list[Paragraph]) -> tuple[float, int]:
    """Return the share of answers with a sentence start strictly inside them.

    The second figure is the number of faulty paragraphs.
    """
    cut = faults = 0
    for paragraph in paragraphs:
        spans = tighten(segmenter(paragraph.text), paragraph.text)
        faults += faulty(spans, paragraph.text)
        starts = [start for start, _ in spans]
        cut += sum(any(begin < start < end for start in starts) for begin, end in paragraph.answers)
    return cut / sum(len(paragraph.answers) for paragraph in paragraphs), faults


def speed(segmenter: Segmenter, paragraphs: list[Paragraph]) -> float:
    """Return millions of characters a second, the median over three disjoint slices."""
    size = min(SPEED_PARAGRAPHS, len(paragraphs) // 3)
    rates = []
    for number in range(3):
        texts = [paragraph.text for paragraph in paragraphs[number * size : (number + 1) * size]]
        began = time.perf_counter()
        for text in texts:
            list(segmenter(text))
        rates.append(sum(map(len, texts)) / 1e6 / (time.perf_counter() - began))
    return statistics.median(rates)


def first_call(name: str) -> float:
    """Return the seconds to import a library and segment one sentence, in this process."""
    began = time.perf_counter()
    list(LIBRARIES[name][1]()("One sentence. Another one."))
    return time.perf_counter() - began


def first_call_apart(name: str) -> float:
    """Return ``first_call`` measured in a fresh process."""
    command = [sys.executable, __file__, "--first-call", name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(name: str, labels: list[Label], paragraphs: list[Paragraph]) -> str:
    """Measure one library and return its line of the table."""
    distribution, load = LIBRARIES[name]
    segmenter = load()
    rate = speed(segmenter, paragraphs)
    share, faults = cut_share(segmenter, paragraphs)
    score = judge(segmenter, labels)
    shares = f"{score.accuracy:8.3f}  {score.precision:9.3f}  {score.recall:6.3f}  {score.f1:5.3f}"
    rest = f"{share:6.2%}  {faults:6d}  {rate:7.2f}  {first_call_apart(name):6.2f}"
    return f"{name:{WIDTH}} {version(distribution):8} {shares}  {rest}"


def run(data: Path, count: int) -> None:
    """Print the table, a line as each library is done."""
    labels = read_labels(data / "reader")
    paragraphs = read_paragraphs(data / "reader" / SQUAD, count)
    answers = sum(len(paragraph.answers) for paragraph in paragraphs)
    print(f"{len(labels)} labels, {len(paragraphs):,} paragraphs, {answers:,} answers")
    print(
        f"{'library':{WIDTH}} {'version':8} accuracy  precision  recall     F1"
        "     cut  faulty     MB/s   first"
    )
    for name in LIBRARIES:
        try:
            print(measure(name, labels, paragraphs), flush=True)
        except ModuleNotFoundError as error:
            print(f"{name:{WIDTH}} skipped: {error}")


def main() -> None:
    """Parse the command line and run what it asks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds reader/*.json.gz")
    parser.add_argument(
        "--paragraphs", type=int, default=5000, help="SQuAD paragraphs to draw (default 5000)"
    )
    parser.add_argument("--first-call", choices=LIBRARIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first_call:
        print(first_call(options.first_call))
    elif options.data:
        run(options.data, options.paragraphs)
    else:
        parser.error("expected --data DIR, the folder that holds reader/*.json.gz")


if __name__ == "__main__":
    main()
