"""Evaluation of a reader on the gold passages of a SQuAD-format file.

Figures are EM, F1, no-answer accuracy and the AUROC of answerability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from qa.answering.reading.span_decoding import ScoredSpan, best_spans, without_overlaps
from qa.evaluation.selective_metrics import auroc, best_threshold
from qa.training.batches import assemble_batch, plan_batches
from qa.training.config import DataSettings
from qa.training.corpus import Corpus, encode
from qa.training.data import Example
from qa.training.model import logits
from qa.training.special_tokens import SpecialTokens
from qa.training.windows import Units, windows_of


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """Settings of span decoding.

    A best span whose score is at most `threshold` counts as no answer.
    """

    threshold: float = 0.0
    n_best: int = 5
    max_answer: int = 30
    batch_tokens: int = 16_384
    precision: str = "bf16"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Spans found for one question, best first, as pairs of text and score.

    Scores are log-odds against "no answer" (`qa.training.loss`).
    """

    id: str
    found: tuple[tuple[str, float], ...]

    @property
    def best(self) -> tuple[str, float]:
        """The best text and its score; an empty text with -inf if there is none."""
        return self.found[0] if self.found else ("", float("-inf"))


def predict(
    model: nn.Module,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    data: DataSettings,
    settings: EvaluateSettings,
) -> list[Prediction]:
    """Read every question's passage in overlapping windows; the model is in evaluation mode."""
    corpus = encode(examples, tokenizer, data.max_question)
    device = next(model.parameters()).device
    rows = [
        windows_of(corpus, question, int(corpus.asked_of[question]), data)
        for question in range(len(examples))
    ]
    flat = np.array([row for each in rows for row in each], dtype=np.int32).reshape(-1, 4)
    units = Units(flat, np.arange(len(flat) + 1, dtype=np.int64))
    continues = continuations(tokenizer)
    found: list[list[ScoredSpan]] = [[] for _ in examples]
    for chosen in plan_batches(corpus, units, settings.batch_tokens, np.random.default_rng(0)):
        batch = assemble_batch(corpus, units, chosen, SpecialTokens.of(tokenizer)).to(device)
        with torch.inference_mode():
            starts, ends = (
                each.float().cpu().numpy() for each in logits(model, batch, settings.precision)
            )
        for at, window in enumerate(chosen.tolist()):
            found[flat[window, 0]] += _window_spans(
                corpus, flat[window], starts[at], ends[at], continues, settings
            )
    return _predictions(examples, found, tokenizer, settings.n_best)


def figures(
    examples: Sequence[Example], predictions: Sequence[Prediction], threshold: float
) -> dict[str, float]:
    """Return percentages and counts by name.

    - `f1`, `em`: the official ones. The best of the gold answers counts; an unanswerable question
      is right if refused.
    - `f1_forced`, `em_forced`: of the answerable questions, with no refusals.
    - `best_f1`: `f1` at the threshold `best_threshold`, which was chosen on these questions and
      therefore counts on the held-out split only.
    """
    from qa.evaluation.metrics import exact_match, f1

    scores = np.array([prediction.best[1] for prediction in predictions])
    texts = [prediction.best[0] for prediction in predictions]
    golds = [example.answers for example in examples]
    answerable = np.array([bool(example.spans) for example in examples])
    forced_f1 = np.array([f1(*pair) for pair in zip(texts, golds, strict=True)])
    forced_em = np.array([exact_match(*pair) for pair in zip(texts, golds, strict=True)])
    answered = scores > threshold
    best_f1, chosen = best_threshold(scores, np.where(answerable, forced_f1, 0.0), answerable)
    shares = {
        "f1": np.where(answerable, forced_f1 * answered, ~answered).mean(),
        "em": np.where(answerable, forced_em * answered, ~answered).mean(),
        "f1_forced": _mean(forced_f1[answerable]),
        "em_forced": _mean(forced_em[answerable]),
        "answerability_accuracy": (answered == answerable).mean(),
        "answerable_answered": _mean(answered[answerable]),
        "unanswerable_refused": _mean(~answered[~answerable]),
        "best_f1": best_f1,
    }
    counts = {
        "questions": len(examples),
        "unanswerable": int((~answerable).sum()),
        "best_threshold": round(chosen, 3),
    }
    return (
        {name: round(100 * float(value), 2) for name, value in shares.items()}
        | {"auroc": round(auroc(scores, answerable), 4)}
        | counts
    )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def continuations(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Return for each token of the vocabulary whether it continues a word ("##ing").

    The result is bool (v,).
    """
    vocabulary = tokenizer.get_vocab()
    found = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
    found[[row for token, row in vocabulary.items() if token.startswith("##")]] = True
    return found


def _window_spans(
    corpus: Corpus,
    row: NDArray[np.int32],
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    continues: NDArray[np.bool_],
    settings: EvaluateSettings,
) -> list[ScoredSpan]:
    """Return the best spans of a window in tokens of its passage.

    Scores are relative to the window's no-answer score.
    """
    question, passage, first, last = row.tolist()
    begin = len(corpus.questions[question]) + 2
    inside = slice(begin, begin + last - first)
    borders = np.arange(last - first)
    # One token further than the window, if there is one: a span must not end inside a word.
    parts_word = np.append(
        continues[corpus.passages[passage]][first : last + 1], np.zeros(1, dtype=bool)
    )
    found = best_spans(
        start[inside] - start[0],
        end[inside] - end[0],
        np.stack([borders, borders + 1], axis=1),
        parts_word,
        np.zeros(len(parts_word), dtype=np.int32),  # a paragraph has no cells
        count=settings.n_best,
        longest=settings.max_answer,
    )
    return [each._replace(start=each.start + first, end=each.end + first) for each in found]


def _predictions(
    examples: Sequence[Example],
    spans_of: Sequence[Sequence[ScoredSpan]],
    tokenizer: Tokenizer,
    n_best: int,
) -> list[Prediction]:
    """Turn token spans into texts of the passages."""
    texts = list(dict.fromkeys(example.passage for example in examples))
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    offsets = {text: encoding.offsets for text, encoding in zip(texts, encodings, strict=True)}
    predictions = []
    for example, spans in zip(examples, spans_of, strict=True):
        places = offsets[example.passage]
        best = tuple(
            (example.passage[places[span.start][0] : places[span.end - 1][1]], span.score)
            for span in without_overlaps(spans)[:n_best]
        )
        predictions.append(Prediction(example.id, best))
    return predictions
