"""The exported reader, its evaluation, and hard negatives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from qa.evaluation.selective_metrics import auroc
from qa.training import export as exporting
from qa.training.config import DataSettings, TrainSettings
from qa.training.corpus import key_of, load_tokenizer
from qa.training.data import Example
from qa.training.errors import TrainingError
from qa.training.evaluate import EvaluateSettings, Prediction, continuations, figures, predict
from qa.training.export import average_weights, export, load_reader, parse_share, write_base
from qa.training.model import Weights, new_model, trainable_parameters
from qa.training.negatives import hard_negatives
from tests.qa.training.test_training import write_tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def model(base: Path) -> nn.Module:
    """Return a model as if trained.

    Every weight but the word embeddings differs from the base, except for the first layer's norm.
    """
    made = new_model(base, TrainSettings(seed=5)).eval()
    with torch.no_grad():
        for name, value in trainable_parameters(made).items():
            if "LayerNorm" not in name:
                value.add_(torch.randn_like(value), alpha=0.05)
    return made


def _weights(model: nn.Module) -> Weights:
    return {name: value.detach() for name, value in trainable_parameters(model).items()}


def _logits(model: nn.Module) -> torch.Tensor:
    ids = torch.arange(1000, 1040).reshape(2, 20)
    with torch.inference_mode():
        output = model(input_ids=ids)
    return torch.stack([output.start_logits, output.end_logits])


def test_shares_of_other_weights_are_mixed_in() -> None:
    first, second, third = ({"a": torch.tensor([value, 0.0])} for value in (1.0, 3.0, 5.0))

    mixed = average_weights(first, [(second, 0.25), (third, 0.25)])

    assert mixed["a"].tolist() == [2.5, 0.0]
    assert torch.equal(average_weights(first, [])["a"], first["a"])
    assert parse_share("WORK/a=b=0.25") == (Path("WORK/a=b"), 0.25)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [1.2], [-0.1], [0.0]])
def test_shares_that_leave_nothing_or_take_away_are_refused(shares: list[float]) -> None:
    weights = {"a": torch.ones(2)}

    with pytest.raises(TrainingError, match="--average: expected shares"):
        average_weights(weights, [(weights, share) for share in shares])


@pytest.mark.parametrize("given", ["stage1", "stage1=", "stage1=half"])
def test_a_share_that_is_no_number_is_refused(given: str) -> None:
    with pytest.raises(TrainingError, match="expected FOLDER=SHARE"):
        parse_share(given)


def test_a_reader_survives_export_up_to_fp16(model: nn.Module, base: Path, tmp_path: Path) -> None:
    folder = export(_weights(model), base, tmp_path / "reader", {"data": ["nq-train"]}).parent

    again, card = load_reader(folder, base)

    assert torch.allclose(_logits(model), _logits(again), atol=2e-3)
    assert not torch.equal(_logits(model), _logits(new_model(base, TrainSettings())))
    assert (card["data"], card["no_answer"]) == (["nq-train"], 0.0)
    assert len(card["sha256"]) == len(card["base"]["sha256"]) == 64


def test_only_what_differs_is_shipped_in_fp16(model: nn.Module, base: Path, tmp_path: Path) -> None:
    tensors = load_file(export(_weights(model), base, tmp_path, {}).with_name("reader.safetensors"))

    assert {value.dtype for value in tensors.values()} == {torch.float16}
    assert tensors.keys() == {name for name in _weights(model) if "LayerNorm" not in name}


def test_an_fp16_copy_of_the_base_does_as_well(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    copy = write_base(base, tmp_path / "base")
    folder = export(_weights(model), copy, tmp_path / "reader", {}).parent

    again, _ = load_reader(folder, base)

    assert (copy / "model.safetensors").stat().st_size < 0.6 * (
        base / "model.safetensors"
    ).stat().st_size
    assert torch.allclose(_logits(model), _logits(again), atol=2e-3)
    assert "bert.embeddings.word_embeddings.weight" not in load_file(folder / "reader.safetensors")


def test_changed_files_and_other_bases_are_refused(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    folder = export(_weights(model), base, tmp_path / "reader", {}).parent
    other = write_base(base, tmp_path / "other")
    tensors = load_file(other / "model.safetensors")
    save_file(
        {name: value + 1 for name, value in tensors.items()},
        other / "model.safetensors",
        {"format": "pt"},
    )

    with pytest.raises(TrainingError, match="is not the base"):
        load_reader(folder, other)
    (folder / "reader.safetensors").write_bytes(
        (folder / "reader.safetensors").read_bytes()[:-1] + b"x"
    )
    with pytest.raises(TrainingError, match="is not the file"):
        load_reader(folder, base)
    with pytest.raises(TrainingError, match="no exported reader"):
        load_reader(tmp_path, base)


def test_too_large_a_reader_is_refused(
    model: nn.Module, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MAX_BYTES", 1000)

    with pytest.raises(TrainingError, match="the limit is 1,000"):
        export(_weights(model), base, tmp_path, {})


def test_weights_of_another_model_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="of another model"):
        export({"bert.nothing": torch.zeros(1)}, base, tmp_path, {})


class Oracle(nn.Module):
    """Gives every token "wanted" a high start and end logit, and [CLS] the logit 1."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self._wanted = wanted

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> object:
        from transformers.modeling_outputs import QuestionAnsweringModelOutput

        scores = (input_ids == self._wanted).float() * 5 * (attention_mask * token_type_ids > 0)
        scores[:, 0] = 1.0
        return QuestionAnsweringModelOutput(start_logits=scores, end_logits=scores)


def test_predictions_are_whole_words_of_long_passages(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    oracle = Oracle(tokenizer.encode("paris", add_special_tokens=False).ids[0])
    long = "Filler words. " * 60 + "It was in PARIS, they say."
    asked = [
        Example(
            "a",
            "s",
            "t",
            "where was paris",
            long,
            ((long.index("PARIS"), long.index("PARIS") + 5),),
        ),
        Example("b", "s", "t", "where was it", "Nobody knows where.", ()),
    ]
    settings = EvaluateSettings(precision="f32", n_best=2)

    found = predict(oracle, tokenizer, asked, DataSettings(max_tokens=48, overlap=8), settings)

    assert found[0].best == ("PARIS", 8.0)
    assert found[1].best[1] == -2.0
    report = figures(asked, found, 0.0)
    assert report["f1"] == report["em"] == report["answerability_accuracy"] == 100.0
    assert report["auroc"] == 1.0
    assert report["questions"] == 2


def test_figures_on_toy_answers() -> None:
    passage = "The red fox and the old dog"
    golds = [((4, 11),), ((4, 11),), (), ()]
    asked = [Example(str(at), "s", "t", "q", passage, spans) for at, spans in enumerate(golds)]
    texts = [("the red fox", 3.0), ("red fox and", -1.0), ("dog", 2.0), ("dog", -4.0)]
    found = [Prediction(str(at), (text,)) for at, text in enumerate(texts)]

    report = figures(asked, found, 0.0)

    assert report["f1"] == report["em"] == 50.0
    assert report["f1_forced"] == pytest.approx(90.0)
    assert report["em_forced"] == 50.0
    assert (
        report["answerability_accuracy"]
        == report["unanswerable_refused"]
        == report["answerable_answered"]
        == 50.0
    )
    assert report["auroc"] == 0.75
    assert report["best_f1"] == 75.0
    assert figures(asked, found, report["best_threshold"])["f1"] == report["best_f1"]
    assert figures(asked[:2], found[:2], 0.0)["auroc"] == 0.5
    assert Prediction("x", ()).best == ("", float("-inf"))


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40))
def test_auroc_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    high = [score for score, positive in rows if positive]
    low = [score for score, positive in rows if not positive]
    pairs = [(one > other) + (one == other) / 2 for one in high for other in low]

    found = auroc(
        np.array([score for score, _ in rows], dtype=np.float64),
        np.array([positive for _, positive in rows]),
    )

    assert found == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.5)


def test_word_pieces_are_known(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    encoding = tokenizer.encode("unbelievably good", add_special_tokens=False)

    assert continuations(tokenizer)[encoding.ids].tolist() == [
        token.startswith("##") for token in encoding.tokens
    ]


def test_hard_negatives_hold_no_answer() -> None:
    pool = {
        "The sun is hot.": "Sun",
        "It is HOT there": "Mars",
        "cold moon": "Moon",
        "dark moon": "Moon",
        "the shot": "Film",
    }
    answerable = Example("s/1", "s", "Sun", "how is the sun", "The sun is hot.", ((11, 14),))
    unanswerable = Example("s/2", "s", "Moon", "how old is the moon", "cold moon", ())

    found = hard_negatives([answerable, unanswerable], lambda _: list(pool), pool, 4)

    assert found.questions.tolist() == [key_of("s/1"), key_of("s/2")]
    assert found.passages[0].tolist() == [
        key_of("cold moon"),
        key_of("dark moon"),
        key_of("the shot"),
        0,
    ]
    assert found.passages[1].tolist() == [
        key_of("The sun is hot."),
        key_of("It is HOT there"),
        key_of("the shot"),
        0,
    ]


def test_the_card_is_json_that_names_the_score(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    about = {"settings": {"lr": replace(TrainSettings()).lr}}
    card = json.loads(export(_weights(model), base, tmp_path, about).read_text("utf-8"))

    assert "start[CLS]" in card["score"]
    assert card["bytes"] == (tmp_path / "reader.safetensors").stat().st_size
