"""The careful reader as it is shipped, alone and behind the fast one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from index.filesystem.checksums import sha256_of
from index.models.graph_template import assemble
from qa.answering.reading.careful_weights import ADAPTERS, CARD, TOKENIZER, careful_tensors
from qa.answering.reading.reader_conversion import (
    CAREFUL,
    TEMPLATE,
    convert_careful_with_torch,
)
from qa.answering.reading.reader_model import ReaderModel, Window
from qa.bootstrap import load_reader
from qa.settings import AUTO_READER, CAREFUL_READER, FAST_READER, Settings
from tests.support.fakes import passage_of

MODEL_CARD = (CAREFUL / "README.md").read_text("utf-8")
TEXTS = [
    "The ferry to Hven leaves at half past six. Tickets are sold on board.",
    "The museum is closed on Mondays. A guided tour costs 12 euros.",
    "The harbour master is Ingrid Holm, who has held the post since 2019.",
]


@pytest.fixture(scope="module")
def careful(other_models: Path) -> ReaderModel:
    return ReaderModel.load(CAREFUL_READER, other_models)


def best(windows: list[Window]) -> tuple[int, str]:
    """Return the number of the text with the best span, and the words from its start to its end."""
    found = max(windows, key=lambda each: float(each.start.max() + each.end.max()))
    first, last = int(found.start.argmax()), int(found.end.argmax())
    text = TEXTS[found.text]
    return found.text, text[int(found.offsets[first, 0]) : int(found.offsets[last, 1])]


def parsed_graph(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Return the operations with their attributes, and how they are connected."""
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    kept = [
        (element.tag, {name: value for name, value in element.attrib.items() if name != "name"})
        for element in root.iter()
        if element.tag in {"layer", "data", "edge"}
    ]
    assert len(kept) > 1000
    return kept


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When does the ferry leave?", (0, "half past six")),
        ("What does a guided tour cost?", (1, "12 euros")),
        ("Who is the harbour master?", (2, "Ingrid Holm")),
    ],
)
def test_it_finds_what_the_texts_say(
    careful: ReaderModel, question: str, expected: tuple[int, str]
) -> None:
    assert best(careful.windows(question, TEXTS)) == expected


@pytest.mark.slow
def test_both_readers_are_one_with_a_fingerprint_of_its_own(
    careful: ReaderModel, other_models: Path
) -> None:
    both = load_reader(Settings(other_models / "data", other_models, reader=AUTO_READER))
    fast = load_reader(Settings(other_models / "data", other_models, reader=FAST_READER))
    passages = [passage_of(text) for text in TEXTS]

    assert both.fingerprint not in {fast.fingerprint, careful.card.fingerprint}
    best_of_both, best_of_fast = (
        each.read("Who is the harbour master?", passages).candidates[0] for each in (both, fast)
    )
    assert best_of_both.text == best_of_fast.text == "Ingrid Holm"
    assert best_of_both.score != best_of_fast.score


@pytest.mark.slow
def test_it_is_put_together_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch", "transformers", "safetensors"):
        monkeypatch.setitem(sys.modules, name, None)

    assemble(CAREFUL / TEMPLATE, careful_tensors(CAREFUL), tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"model.xml", "model.bin"}


@pytest.mark.slow
def test_the_shipped_template_is_that_of_todays_conversion(tmp_path: Path) -> None:
    converted, assembled = tmp_path / "converted", tmp_path / "assembled"
    for folder in (converted, assembled):
        folder.mkdir()

    convert_careful_with_torch(CAREFUL, converted)
    assemble(CAREFUL / TEMPLATE, careful_tensors(CAREFUL), assembled)

    # Names of operations count on in a process that has converted before.
    graphs = [parsed_graph(folder / "model.xml") for folder in (converted, assembled)]
    assert graphs[0] == graphs[1]
    digests = {sha256_of(folder / "model.bin") for folder in (converted, assembled)}
    assert len(digests) == 1


def test_each_file_can_be_kept_in_a_repository() -> None:
    card = json.loads((CAREFUL / CARD).read_text("utf-8"))

    weights = {ADAPTERS, "base-1.safetensors", "base-2.safetensors"}
    assert set(card["sha256"]) == {*weights, TOKENIZER}
    assert all((CAREFUL / name).stat().st_size == size for name, size in card["bytes"].items())
    assert max(card["bytes"].values()) < 50_000_000
    assert sum(card["bytes"].values()) < 77_000_000


def test_the_model_card_names_the_files_and_the_licences() -> None:
    files = [path.name for path in CAREFUL.iterdir() if path.name != "README.md"]

    for said in (*files, "Apache-2.0", "CC BY-SA 4.0", "all-mpnet-base-v2"):
        assert said in MODEL_CARD, said
