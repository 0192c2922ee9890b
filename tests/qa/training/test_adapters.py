"""Careful reader in training: what is trained, what is shipped, and who teaches."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from index.errors import ModelError
from qa.answering.reading.careful_network import careful_network
from qa.answering.reading.careful_weights import (
    ADAPTERS,
    CARD,
    TOKENIZER,
    careful_fingerprint,
    careful_tensors,
)
from qa.training.__main__ import main
from qa.training.adapters import sizes_of
from qa.training.batches import Batch, assemble_batch
from qa.training.careful_export import export_careful, load_adapters
from qa.training.config import DataSettings, TrainSettings
from qa.training.corpus import encode, load_tokenizer
from qa.training.data import Example
from qa.training.errors import TrainingError
from qa.training.loss import UNREADABLE, teacher_loss
from qa.training.model import default_base, load_weights, new_model, trainable_parameters
from qa.training.special_tokens import SpecialTokens
from qa.training.teacher import Teacher
from qa.training.windows import Units, all_windows
from tests.qa.training.test_training import TINY, write_toy_data
from tests.support.tiny import save_mpnet_base

SETTINGS = TrainSettings(rank=4, frozen_layers=1, device="cpu", precision="f32")
TEXT = "The tide at Porto turns at six."


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mpnet_base(tmp_path_factory.mktemp("mpnet") / "base")


@pytest.fixture
def model(base: Path) -> nn.Module:
    """A careful reader whose adapters differ from zero."""
    made = new_model(base, SETTINGS)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, value in trainable_parameters(made).items():
            if name.endswith((".up", "qa_outputs.weight")):
                value.copy_(torch.randn(value.shape) * 0.3)
    return made.eval()


def logits(model: nn.Module, base: Path) -> Any:
    ids = load_tokenizer(base).encode("When does it turn", TEXT).ids
    with torch.no_grad():
        output = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)))
    return torch.stack([output.start_logits, output.end_logits])


def test_adapters_norms_and_head_of_the_upper_layers_are_trained(model: nn.Module) -> None:
    names = set(trainable_parameters(model))

    layer = "mpnet.encoder.layer.1."
    matrices = [f"attention.attn.{each}" for each in "qkvo"] + [
        "intermediate.dense",
        "output.dense",
    ]
    norms = ["attention.LayerNorm", "output.LayerNorm"]
    assert names == {
        *(f"{layer}{matrix}.{part}" for matrix in matrices for part in ("down", "up")),
        *(f"{layer}{norm}.{part}" for norm in norms for part in ("weight", "bias")),
        "qa_outputs.weight",
        "qa_outputs.bias",
    }


def test_new_adapters_change_nothing(base: Path) -> None:
    one, other = (new_model(base, TrainSettings(rank=rank, seed=3)).eval() for rank in (2, 8))

    assert torch.equal(logits(one, base), logits(other, base))


def test_weights_tell_the_sizes_of_their_adapters(model: nn.Module) -> None:
    assert sizes_of(trainable_parameters(model)) == {"rank": 4, "frozen_layers": 1}
    assert sizes_of({"bert.encoder.layer.0.output.dense.weight": torch.zeros(2, 2)}) == {}


def test_what_is_shipped_computes_what_was_trained(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    export_careful(trainable_parameters(model), base, tmp_path, {"no_answer": 1.5})

    shipped = careful_network(careful_tensors(tmp_path))

    # float16 is all that is lost.
    assert torch.allclose(logits(shipped, base), logits(model, base), atol=0.02)
    again = new_model(base, SETTINGS)
    weights, card = load_adapters(tmp_path, base)
    load_weights(again, weights)
    assert torch.allclose(logits(again.eval(), base), logits(model, base), atol=0.02)
    assert card["no_answer"] == 1.5


def test_the_fingerprint_follows_the_weights_and_the_offset(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    weights = trainable_parameters(model)
    other = {name: value + 1 for name, value in weights.items()}
    cases = [(weights, 0.0), (weights, 1.0), (other, 0.0), (weights, 0.0)]
    found = []
    for number, (each, no_answer) in enumerate(cases):
        folder = tmp_path / str(number)
        export_careful(each, base, folder, {"no_answer": no_answer})
        found.append(careful_fingerprint(folder))

    assert len(set(found)) == 3
    assert found[0] == found[3]


@pytest.mark.parametrize("name", [ADAPTERS, "base-1.safetensors", TOKENIZER])
def test_a_damaged_file_is_refused(model: nn.Module, base: Path, tmp_path: Path, name: str) -> None:
    export_careful(trainable_parameters(model), base, tmp_path, {})
    data = bytearray((tmp_path / name).read_bytes())
    data[-1] ^= 1
    (tmp_path / name).write_bytes(data)

    with pytest.raises(ModelError, match=f"{name}.* not the file that its card names: reinstall"):
        careful_tensors(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=f"{name}.* is missing: reinstall"):
        careful_tensors(tmp_path)


def test_adapters_that_the_card_does_not_name_are_not_trained_on(
    model: nn.Module, base: Path, tmp_path: Path
) -> None:
    export_careful(trainable_parameters(model), base, tmp_path, {})
    (tmp_path / ADAPTERS).write_bytes(b"no")

    with pytest.raises(TrainingError, match=r"is not the file that careful\.json names"):
        load_adapters(tmp_path, base)
    (tmp_path / CARD).write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        load_adapters(tmp_path, base)


def test_adapters_of_another_base_are_refused(model: nn.Module, base: Path, tmp_path: Path) -> None:
    export_careful(trainable_parameters(model), base, tmp_path / "exported", {})
    other = shutil.copytree(base, tmp_path / "other")
    save_file({"embeddings.bias": torch.zeros(1)}, other / "model.safetensors")

    with pytest.raises(TrainingError, match="is not the base that the reader was trained from"):
        load_adapters(tmp_path / "exported", other)


def batch_of(base: Path) -> tuple[Batch, list[list[int]]]:
    """Two windows of different lengths, and the same of BERT's tokenizer without padding."""
    asked = [("When does it turn", TEXT), ("What is it", "A naïve harbour of 1,200 boats")]
    examples = [
        Example(str(number), "x", "Title", question, text, ((0, len(text.split()[0])),))
        for number, (question, text) in enumerate(asked)
    ]
    tokenizer = load_tokenizer(base)
    corpus = encode(examples, tokenizer, 64)
    windows = all_windows(corpus, DataSettings())
    units = Units(windows.rows, np.arange(3, dtype=np.int64))
    batch = assemble_batch(corpus, units, np.arange(2), SpecialTokens.of(tokenizer))
    plain = load_tokenizer(default_base())
    return batch, [plain.encode(*each).ids for each in asked]


def test_a_window_is_framed_as_the_tokenizer_frames_it(base: Path) -> None:
    batch, _ = batch_of(base)

    expected = load_tokenizer(base).encode("When does it turn", TEXT).ids
    assert batch.ids[0][batch.mask[0] == 1].tolist() == expected


def test_the_teacher_reads_the_same_tokens_and_answers_at_their_places(base: Path) -> None:
    batch, expected = batch_of(base)
    read: dict[str, Any] = {}

    def fake(**inputs: Any) -> Any:
        read.update(inputs)
        scores = inputs["input_ids"].float()
        return SimpleNamespace(start_logits=scores.clone(), end_logits=-scores)

    own = load_tokenizer(default_base())
    start, end = Teacher(fake, own, load_tokenizer(base), no_answer=0.5)(batch)  # type: ignore[arg-type]

    for row, ids in enumerate(expected):
        kept = read["attention_mask"][row] == 1
        assert read["input_ids"][row][kept].tolist() == ids
        passage = batch.readable[row].clone()
        passage[0] = False
        words = read["input_ids"][row][read["token_type_ids"][row] == 1][:-1]
        assert start[row][passage].tolist() == words.tolist()
        assert end[row][passage].tolist() == (-words).tolist()
        assert float(start[row, 0]) == ids[0] + 0.5
        assert set(start[row][~batch.readable[row]].tolist()) == {UNREADABLE}


def test_only_a_teacher_who_is_right_is_followed(base: Path) -> None:
    batch, _ = batch_of(base)
    found = (torch.zeros(batch.ids.shape), torch.zeros(batch.ids.shape))

    def taught(places: list[int]) -> tuple[Any, Any]:
        logits = torch.full(batch.ids.shape, UNREADABLE)
        for row, place in enumerate(places):
            logits[row, place] = 0.0
        return logits, logits

    answers = [int(batch.spans[batch.spans[:, 0] == row][0, 1]) for row in range(2)]
    sizes = batch.readable.sum(1).float().log()
    both = teacher_loss(found, taught(answers), batch)
    second = teacher_loss(found, taught([0, answers[1]]), batch)

    assert float(both) == pytest.approx(float(2 * sizes.sum() / 2))
    assert float(second) == pytest.approx(float(2 * sizes[1] / 2))


def test_a_stage_is_trained_exported_continued_and_evaluated(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_toy_data(tmp_path / "data")
    common = ["--base", str(base), *TINY]
    train = [
        *common, "--data", str(data), "--precision", "f32", "--batch-tokens", "2000",
        "--device", "cpu", "--rank", "4", "--frozen-layers", "1", "--teacher", "1",
        "--tokens", "4000", "--validate-tokens", "0",
    ]  # fmt: skip
    work, shipped = tmp_path / "work", tmp_path / "shipped"

    assert main(["stage1", "--work", str(work), *train]) == 0
    export = [
        "export",
        "--base",
        str(base),
        "--from",
        str(work / "stage1"),
        "--out",
        str(shipped),
        "--data",
        str(data),
    ]
    assert main(export) == 0
    again = [*train, "--from", str(shipped), "--work", str(tmp_path / "again")]
    assert main(["stage1", *again]) == 0
    file = data / "reader" / "nq-train.json.gz"
    assert main(["evaluate", "--from", str(shipped), *common, "--precision", "f32", str(file)]) == 0

    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 <= figures["f1_forced"] <= 100
    assert json.loads((shipped / CARD).read_text())["progress"]["tokens"] >= 4000


def test_the_base_is_carried_as_it_is(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["base", "--base", str(base), "--out", str(tmp_path / "copy")]) == 1

    assert f"is carried as it is: copy {base}" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()


def test_the_fast_reader_has_no_teacher(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_toy_data(tmp_path / "data")

    paths = ["--data", str(data), "--work", str(tmp_path)]
    assert main(["stage1", *paths, "--teacher", "1", *TINY]) == 1

    assert "--teacher is for the careful reader" in capsys.readouterr().err
