"""Compare speed with the usual way, as ratios of medians measured in turn in one run.

    python benchmarks/speed.py cold [--rounds N]
    python benchmarks/speed.py indexing --data DIR [--paragraphs N] [--rounds N]
    python benchmarks/speed.py bm25 --data DIR [--queries N]
    python benchmarks/speed.py reading --data DIR [--queries N]

- cold: a new `qa ask` process (index and graph cached) and `qa --help` against `python -c "import
  sentence_transformers"`.
- indexing: paragraphs of squad1-dev through ingestion (chunk, analyse, embed, commit) in bf16 and
  f32 against SentenceTransformer.encode with its defaults, and the smallest cosine between the two.
- bm25: queries against rank_bm25's own get_scores, with the largest relative difference.
- reading: questions of squad1-dev, each with ten paragraphs of its article, through the shipped
  reader in int8, bf16 and f32, spans included, against the same weights in torch (transformers,
  f32, one padded batch, the best span by argmax); and how often both find the same best span.

DIR holds reader/*.json.gz.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rank_bm25 import BM25Plus

from index.ingestion.ingest import Ingestion
from index.ingestion.report import Reporter
from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.encoder import Encoder
from index.models.openvino_graph import Precision, resolve_precision
from index.search.bm25 import PostingsBM25, analyse
from index.store.store import Store
from qa.answering.question import reader_question
from qa.answering.reading.reader import LONGEST
from qa.answering.reading.reader_conversion import SHIPPED, WINDOW
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.bootstrap import load_reader
from qa.evaluation.pool import paragraph_document, pool_id
from qa.evaluation.reader_report import passages_of
from qa.evaluation.squad import Article, Gold, paragraphs, read_articles
from qa.library.documents import sample_documents
from qa.settings import Settings

QUESTION = "How much will Amazon invest in Anthropic?"


class Silent(Reporter):
    """Reporter without output."""


def main() -> None:
    """Parse the arguments and run one comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["cold", "indexing", "bm25", "reading"])
    parser.add_argument("--data", type=Path, help="folder that holds reader/")
    parser.add_argument("--paragraphs", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.what != "cold" and arguments.data is None:
        parser.error("--data is needed")
    comparisons = {"cold": cold, "indexing": indexing, "bm25": bm25, "reading": reading}
    comparisons[arguments.what](arguments)


def timed(action: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def cold(arguments: argparse.Namespace) -> None:
    """Compare the starts of new processes, measured in turn."""
    with tempfile.TemporaryDirectory() as data:
        seeds = sample_documents()
        qa = str(Path(sys.executable).with_name("qa"))
        commands = {
            "import sentence_transformers": [sys.executable, "-c", "import sentence_transformers"],
            "qa ask": [qa, "ask", "--data", data, QUESTION],
            "qa --help": [qa, "--help"],
        }
        subprocess.run([qa, "index", "--data", data, str(seeds)], check=True, capture_output=True)
        times: dict[str, list[float]] = {name: [] for name in commands}
        # The first round only fills the caches of disk and graphs.
        for round_number in range(-1, arguments.rounds):
            for name, command in commands.items():
                seconds = timed(partial(run, command))
                if round_number >= 0:
                    times[name].append(seconds)
    base = median(times["import sentence_transformers"])
    for name, found in times.items():
        print(f"{name:30} median {median(found):6.2f} s  ratio {median(found) / base:.3f}")


def run(command: list[str]) -> None:
    """Run one process; a refusal (exit code 3) is as good as an answer here."""
    code = subprocess.run(command, check=False, capture_output=True).returncode
    if code not in {0, 3}:
        raise RuntimeError(f"{command} ended with exit code {code}")


def indexing(arguments: argparse.Namespace) -> None:
    """Compare ingestion with SentenceTransformer.encode on the same paragraphs."""
    from sentence_transformers import SentenceTransformer

    texts = paragraphs(read_articles(arguments.data / "reader" / "squad1-dev.json.gz"))[
        : arguments.paragraphs
    ]
    model = SentenceTransformer(str(find_model(DEFAULT_MODEL)), device="cpu")
    settings = Settings.load(os.environ)
    precisions: list[Precision] = ["f32"] if resolve_precision("auto") == "f32" else ["bf16", "f32"]
    encoders = {
        each: Encoder.load(settings.model, settings.cache, precision=each) for each in precisions
    }
    times: dict[str, list[float]] = {
        name: [] for name in ["SentenceTransformer.encode", *precisions]
    }
    for _ in range(arguments.rounds):
        times["SentenceTransformer.encode"].append(timed(lambda: model.encode(texts)))
        for name, encoder in encoders.items():
            times[name].append(timed(partial(ingest_texts, texts, encoder)))
    expected = model.encode(texts, normalize_embeddings=True)
    base = median(times["SentenceTransformer.encode"])
    for name, found in times.items():
        rate, ratio = len(texts) / median(found), base / median(found)
        cosine = ""
        if name in encoders:
            cosines = (encoders[name].encode_passages(texts) * expected).sum(axis=1)
            cosine = f"  min cosine {cosines.min():.5f}"
        print(f"{name:30} {rate:7.1f} passages/s  {ratio:5.2f} times{cosine}")


def ingest_texts(texts: list[str], encoder: Encoder) -> None:
    """Chunk, analyse, embed and commit every text as a document into a new store."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        run = Ingestion(store, encoder, Silent())
        for text in texts:
            run.add(paragraph_document(text), Path("/pool") / pool_id(text))
        run.flush()


def reading(arguments: argparse.Namespace) -> None:
    """Compare the reader with torch on the same questions and passages."""
    articles = read_articles(arguments.data / "reader" / "squad1-dev.json.gz")
    asked = spread_questions(articles, arguments.queries)
    settings = Settings.load(os.environ)
    encoder = Encoder.load(settings.model, settings.cache)
    precisions: list[Precision] = (
        ["f32"] if resolve_precision("auto") == "f32" else ["int8", "bf16", "f32"]
    )
    readers = {each: load_reader(replace(settings, precision=each)) for each in precisions}
    theirs = TorchReader()
    times: dict[str, list[float]] = {name: [] for name in ["torch f32", *readers]}
    same = dict.fromkeys(readers, 0)
    for gold, article in asked:
        passages = article_passages(gold, article, encoder)
        began = time.perf_counter()
        expected = theirs.best(
            reader_question(gold.question), [passage.chunk.text for passage in passages]
        )
        times["torch f32"].append(time.perf_counter() - began)
        for name, reader in readers.items():
            began = time.perf_counter()
            best = reader.read(gold.question, passages).candidates[0]
            times[name].append(time.perf_counter() - began)
            same[name] += expected == best.text
    base = median(times["torch f32"])
    for name, seconds in times.items():
        agrees = f"  same best span {same[name] / len(asked):.3f}" if name in same else ""
        milliseconds, ratio = 1000 * median(seconds), base / median(seconds)
        print(f"{name:12} median {milliseconds:7.1f} ms  {ratio:5.2f} times{agrees}")


def spread_questions(articles: list[Article], count: int) -> list[tuple[Gold, Article]]:
    """Return at most `count` questions at equal distances, each with its article."""
    golds = [(gold, article) for article in articles for gold in article.questions]
    return golds[:: max(len(golds) // count, 1)][:count]


def article_passages(gold: Gold, article: Article, encoder: Encoder) -> list[RetrievedChunk]:
    """Return the passages of ten paragraphs of an article, the question's own first."""
    others = [text for text in article.paragraphs if text != gold.context]
    texts = [gold.context or "", *others][:10]
    return [passage for text in texts for passage in passages_of(text, encoder)]


class TorchReader:
    """The shipped weights in transformers, as its documentation runs an extractive model."""

    def __init__(self) -> None:
        from transformers import AutoTokenizer

        from qa.training.config import TrainSettings
        from qa.training.export import load_reader as load_torch

        self._model = load_torch(SHIPPED, settings=TrainSettings(attention="sdpa"))[0]
        self._tokenizer: Any = AutoTokenizer.from_pretrained(
            str(find_model(DEFAULT_MODEL)), local_files_only=True
        )

    def best(self, question: str, texts: list[str]) -> str:
        """Return the text of the best span of all texts, by its logits less those of [CLS]."""
        import torch

        encoding = self._tokenizer(
            [question] * len(texts),
            texts,
            truncation="only_second",
            max_length=WINDOW,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = encoding.pop("offset_mapping").numpy()
        passage = np.array(
            [[each == 1 for each in encoding.sequence_ids(row)] for row in range(len(texts))]
        )
        with torch.inference_mode():
            output = self._model(**encoding)
        start, end = (
            (each - each[:, :1]).numpy() for each in (output.start_logits, output.end_logits)
        )
        best = (-np.inf, "")
        length = np.arange(start.shape[1])[None, :] - np.arange(start.shape[1])[:, None]
        for row, text in enumerate(texts):
            legal = np.outer(passage[row], passage[row]) & (length >= 0) & (length < LONGEST)
            scores = np.where(legal, start[row][:, None] + end[row][None, :], -np.inf)
            first, last = np.unravel_index(int(scores.argmax()), scores.shape)
            best = max(
                best,
                (float(scores[first, last]), text[offsets[row, first, 0] : offsets[row, last, 1]]),
            )
        return best[1]


def bm25(arguments: argparse.Namespace) -> None:
    """Compare both BM25 implementations on the same queries, in time and in scores."""
    files = ["squad1-dev.json.gz", "squad2-train-partial.json.gz"]
    articles = [
        article for name in files for article in read_articles(arguments.data / "reader" / name)
    ]
    corpus = [analyse(text) for text in paragraphs(articles)[:20_000]]
    questions = [gold.question for article in articles[:48] for gold in article.questions]
    every = max(len(questions) // arguments.queries, 1)
    queries = [analyse(question) for question in questions[::every][: arguments.queries]]
    theirs, ours = BM25Plus(corpus), PostingsBM25.build(corpus)
    their_times, our_times, differences = [], [], []
    for query in queries:
        their_times.append(timed(partial(theirs.get_scores, query)))
        our_times.append(timed(partial(ours.get_scores, query)))
        ratios = ours.get_scores(query) / theirs.get_scores(query)
        differences.append(float(np.max(np.abs(ratios - 1))))
    difference = max(differences)
    slow, fast = median(their_times), median(our_times)
    print(
        f"{len(corpus)} paragraphs, {len(queries)} queries: rank_bm25 {1 / slow:.1f}/s, "
        f"quoted {1 / fast:.1f}/s, {slow / fast:.0f} times"
    )
    print(f"largest relative difference of a score: {difference:.1e}")


if __name__ == "__main__":
    main()
