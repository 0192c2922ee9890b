"""Questions a second of one asker and of sixteen, who share the queue of the server's doors.

    python benchmarks/askers.py --data DIR QUESTIONS.jsonl [--questions N] [--rounds N]

asks the index of a data directory the same questions of a file (one object with "question" a line;
N of them by lot) in each round of both, and prints medians. Processor time a question says more
than the clock where other programs are at work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from qa.answering.pipeline import Pipeline
from qa.bootstrap import load_encoder, load_pipeline, load_reader
from qa.interfaces.api.question_queue import QuestionQueue
from qa.settings import Settings

MANY = 16


@dataclass(frozen=True, slots=True)
class Round:
    """Answers that some askers got in a while; times in seconds."""

    rate: float
    processor: float
    median: float
    longest: float


def answered(pipeline: Pipeline, question: str, seconds: float) -> None:
    """Answer a question within some seconds."""
    pipeline.ask(question, seconds=seconds)


async def asked(pipeline: Pipeline, questions: Sequence[str], askers: int) -> Round:
    """Let askers ask questions, each the next one when the last is answered."""
    queue, waits, left = QuestionQueue(wait_seconds=600.0), list[float](), iter(questions)
    began, computed = time.monotonic(), time.process_time()

    async def ask_on() -> None:
        for question in left:
            at = time.monotonic()
            await queue.run(partial(answered, pipeline, question))
            waits.append(time.monotonic() - at)

    await asyncio.gather(*(ask_on() for _ in range(askers)))
    took, computed = time.monotonic() - began, time.process_time() - computed
    queue.close()
    return Round(len(waits) / took, computed / len(waits), statistics.median(waits), max(waits))


def main() -> None:
    """Print the medians of several rounds of one asker and of sixteen."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--questions", type=int, default=96)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    settings = Settings.from_environment(os.environ, data=given.data)
    pipeline = load_pipeline(settings, load_encoder(settings), load_reader(settings))
    lines = given.file.read_text("utf-8").splitlines()
    every = [json.loads(line)["question"] for line in lines]
    questions = Random(0).sample(every, min(given.questions, len(every)))
    asyncio.run(asked(pipeline, questions, MANY))  # shapes reach the caches
    rounds: dict[int, list[Round]] = {1: [], MANY: []}
    for _ in range(given.rounds):
        for askers, results in rounds.items():
            results.append(asyncio.run(asked(pipeline, questions, askers)))
    for askers, results in rounds.items():
        rate, processor, median, longest = (
            statistics.median(getattr(each, name) for each in results)
            for name in ("rate", "processor", "median", "longest")
        )
        print(
            f"{askers:2} askers: {rate:.2f} questions a second, {1000 * processor:.0f} ms of "
            f"processor each, wait {median:.2f} s in the median, {longest / median:.2f} times that "
            "at most"
        )
    gains = [many.rate / one.rate for one, many in zip(rounds[1], rounds[MANY], strict=True)]
    print(f"gain {statistics.median(gains):.2f} ({min(gains):.2f} to {max(gains):.2f})")


if __name__ == "__main__":
    main()
