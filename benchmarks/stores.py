"""Compare the answers of the embedded and the shared store to the same questions.

    python benchmarks/stores.py FOLDER QUESTIONS.jsonl [--every N] [--work DIR]

The files of FOLDER are indexed into both stores below DIR (a temporary folder by default), and each
question (field ``question`` of a line) is asked of both in this process. Printed are the share of
the questions with the same top answer or the same refusal, the differences, and for both stores the
seconds that retrieving takes. With ``--every N`` each Nth question is asked. A store at DIR that is
there is used again.
"""

import argparse
import json
import os
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from index.ingestion.report import Reporter
from qa.answer import Answer
from qa.answering.pipeline import Pipeline
from qa.bootstrap import load_encoder, load_pipeline, load_reader
from qa.library.documents import has_index, index_paths
from qa.settings import Settings


def main() -> None:
    """Index, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    lines = arguments.questions.read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines[:: arguments.every]]
    with tempfile.TemporaryDirectory() as temporary:
        compare(arguments.folder, questions, arguments.work or Path(temporary))


def compare(folder: Path, questions: list[str], work: Path) -> None:
    """Ask all questions of both stores, and print how they differ."""
    base = Settings.load(os.environ)
    encoder, reader = load_encoder(base), load_reader(base)
    pipelines: dict[str, Pipeline] = {}
    for name, store in (("embedded", ""), ("shared", str(work / "store"))):
        settings = replace(base, data=work / name, store=store)
        begun = time.process_time()
        if not has_index(settings):
            index_paths(settings, encoder, [folder], Reporter())
        print(f"{name}: indexed in {time.process_time() - begun:.1f} s of CPU time of this process")
        pipelines[name] = load_pipeline(settings, encoder, reader)
    seconds: dict[str, list[float]] = {name: [] for name in pipelines}
    differing = 0
    for question in questions:
        shown = {}
        for name, pipeline in pipelines.items():
            begun = time.perf_counter()
            pipeline.search(question, top_k=5)
            seconds[name].append(time.perf_counter() - begun)
            shown[name] = shown_answer(pipeline.ask(question))
        if shown["embedded"] != shown["shared"]:
            differing += 1
            print(f"{question}\n  embedded: {shown['embedded']}\n  shared:   {shown['shared']}")
    for name, taken in seconds.items():
        print(f"{name}: {1000 * median(taken):.1f} ms to retrieve (median)")
    same = len(questions) - differing
    share = f"{same / len(questions):.1%}"
    print(f"{same} of {len(questions)} questions have the same top answer ({share})")
    for pipeline in pipelines.values():
        with closing(pipeline.snapshot):
            pass


def shown_answer(answer: Answer) -> tuple[str, str, int]:
    """Return text, document and offset of the top answer; empty ones for a refusal."""
    if not answer.spans:
        return "", "", 0
    citation = answer.spans[0].citation
    return answer.spans[0].text, citation.uri, citation.start


if __name__ == "__main__":
    main()
