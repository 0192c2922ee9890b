"""Finding and converting readers, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from qa.answering.reading.reader import Reader
from qa.answering.reading.reader_conversion import CAREFUL, MIN_WINDOW, SHIPPED, converted_reader
from qa.answering.reading.reader_model import ReaderModel
from qa.settings import DEFAULT_READER
from tests.support.serving import Command, assert_quoted, write_files
from tests.support.tiny import save_bert

CODE = "The harbour gate opens with the code 4711."


@pytest.mark.slow
def test_the_shipped_reader_is_converted_once_under_the_hash_of_its_weights(
    reader: Reader, model_cache: Path
) -> None:
    said: list[str] = []

    place = converted_reader(DEFAULT_READER, model_cache, said.append)

    card = json.loads((place / "reader.json").read_text())
    assert (said, card["fingerprint"], card["bare_questions"]) == ([], reader.fingerprint, True)
    assert {"model.xml", "model.bin", "tokenizer.json"} <= {path.name for path in place.iterdir()}


@pytest.mark.slow
def test_another_model_has_another_fingerprint(
    reader: Reader, tiny_bert: Path, tiny_roberta: Path, other_models: Path
) -> None:
    said: list[str] = []
    models = [
        ReaderModel.load(str(folder), other_models, on_conversion=said.append)
        for folder in (tiny_bert, tiny_roberta)
    ]

    assert len({reader.fingerprint, *(model.card.fingerprint for model in models)}) == 3
    assert set(said) <= {str(tiny_bert), str(tiny_roberta)}
    assert not any(model.card.bare_questions for model in models)


@pytest.mark.slow
def test_what_was_compiled_for_one_precision_is_not_taken_for_another(
    tiny_bert: Path, tmp_path: Path
) -> None:
    orders = [("f32", "bf16", "f32"), ("bf16", "f32", "bf16")]

    logits = [
        [
            ReaderModel.load(str(tiny_bert), tmp_path / order[0], precision=each).windows(
                "What fell", ["Rain fell."]
            )[0]
            for each in order
        ]
        for order in orders
    ]

    for first, other, again in logits:
        assert np.array_equal(first.start, again.start)
        assert np.allclose(first.start, other.start, atol=0.1)
    assert np.array_equal(logits[0][0].start, logits[1][1].start)


@pytest.mark.slow
def test_reading_leaves_torch_alone(reader: Reader, model_cache: Path) -> None:
    script = (
        "import sys, pathlib;"
        "from qa.answering.reading.reader_model import ReaderModel;"
        "from qa.settings import DEFAULT_READER;"
        "model = ReaderModel.load(DEFAULT_READER, pathlib.Path(sys.argv[1]));"
        "print(model.card.fingerprint, len(model.windows('What', ['It rained.'])));"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(model_cache)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, f"{reader.fingerprint} 1\n"), done.stderr


@pytest.mark.parametrize("name", ["nobody/has-this-model", "no such folder"])
def test_a_name_that_is_no_model_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        ModelError,
        match=r"neither a folder nor a Hugging Face model.*; the readers of this package are "
        r"fast, careful and auto",
    ):
        converted_reader(name, tmp_path)


def test_the_fast_reader_is_found_by_its_former_name_too(converted: Path, reader: Reader) -> None:
    said: list[str] = []

    places = {converted_reader(each, converted, said.append) for each in ("fast", "quoted-reader")}

    assert (len(places), said) == (1, [])
    assert ReaderModel(places.pop()).card.fingerprint == reader.fingerprint


def test_a_folder_without_a_model_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match="expected the files of a Hugging Face question-answering model"
    ):
        converted_reader(str(tmp_path), tmp_path / "cache")


def test_a_folder_of_something_else_cannot_be_converted_and_leaves_nothing(tmp_path: Path) -> None:
    write_files(tmp_path / "model", {"config.json": "{}"})

    with pytest.raises(ModelError, match="cannot be converted"):
        converted_reader(str(tmp_path / "model"), tmp_path / "cache")
    assert list((tmp_path / "cache" / "graphs").iterdir()) == []


@pytest.mark.parametrize(
    ("named", "found"),
    [(["BertModel"], "got BertModel"), (None, "got none that its config.json names")],
)
def test_a_model_without_a_question_answering_head_is_refused(
    tiny_bert: Path, tmp_path: Path, named: list[str] | None, found: str
) -> None:
    folder = shutil.copytree(tiny_bert, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": named}))

    with pytest.raises(ModelError, match=f"ForQuestionAnswering, {found}"):
        converted_reader(str(folder), tmp_path / "cache")


def test_a_model_that_reads_too_little_at_once_is_refused(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "short", max_position_embeddings=MIN_WINDOW + 1)

    with pytest.raises(
        ModelError, match=f"at most {MIN_WINDOW - 1} tokens at once, expected at least {MIN_WINDOW}"
    ):
        converted_reader(str(folder), tmp_path / "cache")


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Return a copy of the fast reader's weights, to be damaged."""
    others = shutil.ignore_patterns(CAREFUL.name)
    return shutil.copytree(SHIPPED, tmp_path / "weights", ignore=others)


@pytest.mark.slow
def test_damaged_shipped_weights_are_refused(shipped: Path, tmp_path: Path) -> None:
    data = bytearray((shipped / "reader.safetensors").read_bytes())
    data[-1] ^= 1
    (shipped / "reader.safetensors").write_bytes(data)

    with pytest.raises(
        ModelError, match="weights are not those that its card names: reinstall quoted-qa"
    ):
        converted_reader(DEFAULT_READER, tmp_path / "cache", shipped=shipped)
    assert list((tmp_path / "cache" / "graphs").iterdir()) == []


@pytest.mark.parametrize("card", [None, "", "[]", "{}", "{"])
def test_a_damaged_card_of_the_shipped_weights_is_refused(
    shipped: Path, tmp_path: Path, card: str | None
) -> None:
    (shipped / "reader.json").unlink()
    if card is not None:
        (shipped / "reader.json").write_text(card)

    with pytest.raises(ModelError, match="reinstall quoted-qa"):
        converted_reader(DEFAULT_READER, tmp_path / "cache", shipped=shipped)


@pytest.mark.slow
def test_any_question_answering_model_answers_uncalibrated(
    command: Command, tiny_roberta: Path, tmp_path: Path
) -> None:
    write_files(tmp_path / "notes", {"gate.txt": CODE})
    assert command("index", str(tmp_path / "notes")).returncode == 0
    other = command.on(command.data, QUOTED_READER=str(tiny_roberta), QUOTED_MIN_CONFIDENCE="0")

    done = other("ask", "Which code opens the gate?", "--json")

    answer = json.loads(done.stdout)
    assert (done.returncode, answer["calibrated"]) == (0, False)
    assert answer["answer"] in CODE
    assert_quoted(answer["citations"][0], CODE, CODE.encode(), "utf-8")


@pytest.mark.slow
def test_a_reader_that_cannot_be_used_is_one_line(command: Command, tmp_path: Path) -> None:
    write_files(tmp_path / "notes", {"gate.txt": CODE})
    assert command("index", str(tmp_path / "notes")).returncode == 0

    done = command.on(command.data, QUOTED_READER="no/such/folder")(
        "ask", "Which code opens the gate?"
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: model 'no/such/folder'")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_model_whose_windows_begin_with_another_token_is_refused(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "model")
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    settings = folder / "tokenizer_config.json"
    settings.write_text(
        json.dumps(
            {
                **json.loads(settings.read_text("utf-8")),
                "tokenizer_class": "PreTrainedTokenizerFast",
            }
        ),
        "utf-8",
    )

    with pytest.raises(ModelError, match="begin with a"):
        converted_reader(str(folder), tmp_path / "cache")
