"""How well a reader does on the gold passages of a SQuAD-format file: EM, F1, no-answer accuracy,
AUROC of answerability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from qa.answering.span_decoding import ScoredSpan, best_spans, without_overlaps
from qa.evaluation.selective_metrics import auroc, best_threshold
from qa.training.batches import SpecialTokens, assemble, plan
from qa.training.config import DataSettings
from qa.training.corpus import Corpus, encode
from qa.training.data import Example
from qa.training.model import logits
from qa.training.windows import Units, windows_of


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """How spans are read off the logits; `threshold` is the score under which the best span is no
    answer.
    """

    threshold: float = 0.0
    n_best: int = 5
    max_answer: int = 30
    batch_tokens: int = 16_384
    precision: str = "bf16"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was found in one passage, best first: texts with scores, which are log-odds against "no
    answer" (`qa.training.loss`).
    """

    id: str
    found: tuple[tuple[str, float], ...]

    @property
    def best(self) -> tuple[str, float]:
        """The best text and its score."""
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
    for chosen in plan(corpus, units, settings.batch_tokens, np.random.default_rng(0)):
        batch = assemble(corpus, units, chosen, SpecialTokens.of(tokenizer)).to(device)
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
    """Percentages and counts by name.

    `f1` and `em` are the official ones (best of the gold answers; an unanswerable question is right
    if refused); `f1_forced` and `em_forced` are of the answerable questions with no refusals;
    `best_f1` is `f1` at the threshold `best_threshold`, which was chosen on these questions and
    therefore counts on the held-out split only.
    """
    from qa.evaluation.metrics import exact_match, f1

    scores = np.array([prediction.best[1] for prediction in predictions])
    texts = [prediction.best[0] for prediction in predictions]
    answerable = np.array([bool(example.spans) for example in examples])
    forced_f1 = np.array(
        [f1(text, example.answers) for text, example in zip(texts, examples, strict=True)]
    )
    forced_em = np.array(
        [exact_match(text, example.answers) for text, example in zip(texts, examples, strict=True)]
    )
    kept = scores > threshold
    best_f1, chosen = best_threshold(scores, np.where(answerable, forced_f1, 0.0), answerable)
    shares = {
        "f1": np.where(answerable, forced_f1 * kept, ~kept).mean(),
        "em": np.where(answerable, forced_em * kept, ~kept).mean(),
        "f1_forced": forced_f1[answerable].mean() if answerable.any() else 0.0,
        "em_forced": forced_em[answerable].mean() if answerable.any() else 0.0,
        "answerability_accuracy": (kept == answerable).mean(),
        "answerable_answered": kept[answerable].mean() if answerable.any() else 0.0,
        "unanswerable_refused": (~kept[~answerable]).mean() if not answerable.all() else 0.0,
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


def continuations(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Whether each token of the vocabulary, bool (v,), continues a word ("##ing")."""
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
    """The best spans of a window in tokens of its passage; the score is less that of no answer."""
    question, passage, first, last = row.tolist()
    begin = len(corpus.questions[question]) + 2
    inside = slice(begin, begin + last - first)
    borders = np.arange(last - first)
    parts_word = np.append(
        continues[corpus.passages[passage]][first : last + 1], np.zeros(1, dtype=bool)
    )
    found = best_spans(
        start[inside] - start[0],
        end[inside] - end[0],
        np.stack([borders, borders + 1], axis=1),
        parts_word,
        count=settings.n_best,
        longest=settings.max_answer,
    )
    return [each._replace(start=each.start + first, end=each.end + first) for each in found]


def _predictions(
    examples: Sequence[Example],
    found: Sequence[Sequence[ScoredSpan]],
    tokenizer: Tokenizer,
    n_best: int,
) -> list[Prediction]:
    texts = list(dict.fromkeys(example.passage for example in examples))
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    offsets = {text: encoding.offsets for text, encoding in zip(texts, encodings, strict=True)}
    return [
        Prediction(
            example.id,
            tuple(
                (
                    example.passage[
                        offsets[example.passage][span.start][0] : offsets[example.passage][
                            span.end - 1
                        ][1]
                    ],
                    span.score,
                )
                for span in without_overlaps(spans)[:n_best]
            ),
        )
        for example, spans in zip(examples, found, strict=True)
    ]
