"""`python -m qa.training` from data to an exported reader, on toy data.

The other training tests share its fixtures.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from qa.answering.question import reader_question
from qa.training.__main__ import main
from qa.training.checkpoint import read_log
from qa.training.corpus import key_of
from qa.training.data import read_examples
from qa.training.model import default_base
from qa.training.units import Negatives

FACTS = [
    ("Amazon", "Seattle", "1994"),
    ("Siemens", "Munich", "1847"),
    ("Nokia", "Espoo", "1865"),
    ("Fiat", "Turin", "1899"),
]


def write_squad(path: Path, articles: dict[str, list[tuple[str, list[dict[str, Any]]]]]) -> None:
    """A SQuAD-format file: title -> paragraphs with their questions."""
    data = [
        {
            "title": title,
            "paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs],
        }
        for title, paragraphs in articles.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps({"data": data}).encode()))


def write_toy_data(folder: Path, articles: int = 20) -> Path:
    """Two training sets of made-up companies; every other article has an unanswerable question."""
    made: dict[str, list[tuple[str, list[dict[str, Any]]]]] = {}
    for number in range(articles):
        paragraphs = []
        for name, place, year in FACTS:
            context = (
                f"In short, the firm {name} {number} of {place} was founded in {year} by a tailor. "
                f"It is known in {place}."
            )
            qas: list[dict[str, Any]] = [
                _asked(f"{number}-{name}-y", f"When was {name} founded?", year, context)
            ]
            qas.append(
                _asked(
                    f"{number}-{name}-p",
                    f"Where is the firm founded in {year} known?",
                    place,
                    context,
                )
                | {"answer_start_guessed": True}
            )
            if number % 2:
                unanswerable: dict[str, Any] = {
                    "id": f"{number}-{name}-u",
                    "question": f"Who sold {name}?",
                    "answers": [],
                }
                qas.append(unanswerable | {"is_impossible": True})
            paragraphs.append((context, qas))
        made[f"Article_{number}"] = paragraphs
    write_squad(folder / "reader" / "squad2-train-partial.json.gz", made)
    write_squad(
        folder / "reader" / "nq-train.json.gz",
        {"Other": made["Article_0"], "Article 1": made["Article_1"]},
    )
    return folder


def _asked(name: str, question: str, answer: str, context: str) -> dict[str, Any]:
    answers = [{"text": answer, "answer_start": context.index(answer)}]
    return {"id": name, "question": question, "answers": answers, "is_impossible": False}


def write_tiny_base(folder: Path) -> Path:
    """A random BERT of one layer and 16 dimensions behind the real tokenizer."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    vocabulary = 30_522
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        architectures=["BertModel"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json_string(), "utf-8")
    (folder / "tokenizer.json").write_bytes((default_base() / "tokenizer.json").read_bytes())
    save_file(
        {name: value.contiguous() for name, value in BertModel(config).state_dict().items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_data(tmp_path_factory.mktemp("toy"))


TINY = [
    "--sources",
    "squad2-train-partial=1,nq-train=0.5,swaps=1",
    "--max-tokens",
    "48",
    "--overlap",
    "8",
    "--validation",
    "6",
]
SHORT = [
    "--tokens",
    "3000",
    "--batch-tokens",
    "600",
    "--log-steps",
    "2",
    "--lr",
    "1e-3",
    "--device",
    "cpu",
]


def test_the_whole_way(
    base: Path, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, out, copy = tmp_path / "work", tmp_path / "out", tmp_path / "copy"
    paths = ["--work", str(work), "--base", str(base)]

    assert main(["prepare", "--data", str(toy), *paths, *TINY]) == 0
    assert main(["stage1", *paths, *TINY, *SHORT]) == 0
    _write_negatives(toy, work)
    assert main(["stage2", *paths, *TINY, *SHORT]) == 0
    average = ["--average", f"{work / 'stage1'}=0.25"]
    assert (
        main(
            [
                "export",
                "--from",
                str(work / "stage2"),
                *average,
                "--out",
                str(out),
                "--base",
                str(base),
            ]
        )
        == 0
    )
    assert (
        main(["export", "--from", str(out), "--out", str(tmp_path / "again"), "--base", str(base)])
        == 0
    )
    assert main(["base", "--out", str(copy), "--base", str(base)]) == 0
    capsys.readouterr()
    evaluate = [
        str(work / "validation.json.gz"),
        "--max-tokens",
        "48",
        "--overlap",
        "8",
        "--precision",
        "f32",
        "--device",
        "cpu",
    ]
    assert main(["evaluate", "--from", str(out), "--base", str(copy), *evaluate]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures["questions"] == 6
    assert 0 <= figures["f1"] <= 100
    cards = [
        json.loads((folder / "reader.json").read_text("utf-8"))
        for folder in (out, tmp_path / "again")
    ]
    assert cards[0] == cards[1]
    assert cards[0]["averaged"] == {"stage1": 0.25}
    assert cards[0]["corpus"]["data"].keys() == {"squad2-train-partial", "nq-train"}
    assert cards[0]["progress"]["tokens"] >= 3000
    for stage in ("stage1", "stage2"):
        lines = list(read_log(work / stage))
        assert lines[-1]["tokens"] >= 3000
        assert lines[-1]["lr"] == 0.0
        assert {"f1", "em", "auroc"} <= lines[-1]["validation"].keys()
        assert {"step", "tokens", "loss", "lr", "tokens_per_s"} <= lines[0].keys()


def _write_negatives(toy: Path, work: Path) -> None:
    examples = read_examples(toy / "reader" / "squad2-train-partial.json.gz")
    passages = sorted({example.passage for example in examples})
    rows = [
        [key_of(text) for text in passages if text != example.passage][:3] for example in examples
    ]
    questions = np.array([key_of(example.id) for example in examples], dtype=np.uint64)
    Negatives(questions, np.array(rows, dtype=np.uint64)).save(work / "negatives.npz")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--sources", "squad1-dev=1"], "for evaluation only"),
        (["--sources", "shifts-newwiki=1"], "for evaluation only"),
        (["--sources", "nothing=1"], "no .*nothing.json.gz"),
        (["--sources", "nq-train"], "expected NAME=WEIGHT"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(
    arguments: list[str],
    reason: str,
    base: Path,
    toy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert (
        main(
            [
                "prepare",
                "--data",
                str(toy),
                "--work",
                str(tmp_path),
                "--base",
                str(base),
                *arguments,
            ]
        )
        == 1
    )

    assert re.match(f"error: .*{reason}", capsys.readouterr().err)


def test_a_folder_without_a_checkpoint_is_refused(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(
            ["export", "--from", str(tmp_path), "--out", str(tmp_path / "out"), "--base", str(base)]
        )
        == 1
    )
    assert "cannot be read" in capsys.readouterr().err


def test_training_imports_only_what_a_bare_gpu_machine_has() -> None:
    modules = ["loop", "units", "evaluate", "export", "checkpoint", "corpus", "swaps"]
    code = (
        f"import sys; [__import__('qa.training.' + each) for each in {modules}]; "
        "print(*sys.modules)"
    )

    loaded = {
        name.split(".")[0]
        for name in subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    }

    assert not loaded & {
        "faiss",
        "openvino",
        "fastapi",
        "nupunkt",
        "rank_bm25",
        "click",
        "sentence_transformers",
        "platformdirs",
    }


def test_the_question_loses_its_question_mark() -> None:
    assert [reader_question(text) for text in ("Who? ", " Who ", "Who ??", "Why? Who?")] == [
        "Who",
        "Who",
        "Who",
        "Why? Who",
    ]
