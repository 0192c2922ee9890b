"""Compare the answers of runs that differ in threads or in batches.

    python benchmarks/determinism.py --data DIR [--questions 1000] [--precision auto]

Asks questions of SQuAD 1.1 dev over its own 2,067 paragraphs in separate processes: again in the
same way, on one core, with one window at a time, and with four times as many windows at a time as
usual. Reports for how many questions quotes, citations, decision or the confidence to two decimals
differ from the first run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

VARIANTS: dict[str, tuple[int, int]] = {
    "again": (0, 512),
    "one core": (1, 512),
    "one window at a time": (0, 1),
    "four times as many windows": (0, 2048),
}
"""Cores (0: all) and padded tokens read at once, by variant."""


def main() -> None:
    """Run the variants one after the other and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with reader/squad1-dev.json.gz"
    )
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--child", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        answer_all(options.data, options.questions, options.precision, *options.child)
        return
    first = run(options, 0, 512)
    for name, (cores, tokens) in VARIANTS.items():
        other = run(options, cores, tokens)
        counts = [
            f"{sum(a[key] != b[key] for a, b in zip(first, other, strict=True))} differ in {key}"
            for key in first[0]
        ]
        print(f"{name}: of {len(first)} questions {', '.join(counts)}", flush=True)


def run(options: argparse.Namespace, cores: int, tokens: int) -> list[dict[str, Any]]:
    """Return the answers of one process."""
    command = [
        sys.executable,
        __file__,
        "--data",
        str(options.data),
        "--questions",
        str(options.questions),
    ]
    command += ["--precision", options.precision, "--child", str(cores), str(tokens)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def answer_all(data: Path, questions: int, precision: str, cores: int, tokens: int) -> None:
    """Print the answer to each question as a line of JSON."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from qa.answering.reading import reader_model
    from qa.bootstrap import load_encoder, load_reader
    from qa.evaluation.squad import load_golds, paragraphs, read_articles
    from qa.interfaces.cli.evaluation_output import pipeline_of
    from qa.settings import Settings

    reader_model.BATCH_TOKENS = tokens
    file = data / "reader" / "squad1-dev.json.gz"
    settings = Settings.load({**os.environ, "QUOTED_PRECISION": precision})
    pipeline = pipeline_of(
        paragraphs(read_articles(file)), settings, load_encoder(settings), load_reader(settings)
    )
    golds, _ = load_golds(file, questions, 0)
    for gold in golds:
        answer = pipeline.ask(gold.question)
        spans = (*answer.spans, *answer.alternatives, *answer.conflicts)
        row = {
            "quotes": [span.text for span in spans],
            "citations": [
                (each.document_id, each.start, each.end)
                for span in spans
                for each in (span.citation, *span.further)
            ],
            "decision": answer.refusal is None,
            "confidence": [round(span.confidence, 2) for span in spans],
        }
        print(json.dumps(row))


if __name__ == "__main__":
    main()
