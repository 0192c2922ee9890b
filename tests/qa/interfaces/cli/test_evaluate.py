"""Tests of the arguments and the output of `qa eval`."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from qa.evaluation.cases import Case, Quote
from qa.evaluation.figures import count, mean
from qa.interfaces.cli.evaluation_output import QuestionProgress, Share, echo_figures, echo_measured
from tests.support.serving import Command

CASES = [
    Case(
        "1", "When?", ("six",), "", "right", 0.9, Quote("At six.", 3, 6, "a.txt", right=True), 1.0
    ),
    Case("2", "When?", (), "removed", "rightly refused", float("-inf"), None, None),
    Case(
        "3",
        "Who?",
        ("Ann",),
        "",
        "wrongly refused",
        0.2,
        Quote("Bo said.", 0, 2, "a.txt", right=False),
        0.0,
    ),
]


@pytest.mark.parametrize(("text", "share"), [("1/3", 1 / 3), ("0.25", 0.25), ("0", 0.0)])
def test_a_share_is_a_decimal_or_a_fraction(text: str, share: float) -> None:
    assert Share().convert(text, None, None) == share


@pytest.mark.parametrize("text", ["1", "-0.1", "x", "1/0", "nan", ""])
def test_an_invalid_share_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a share from 0 to below 1"):
        Share().convert(text, None, None)


def test_progress_is_printed_every_five_seconds_with_its_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    progress = QuestionProgress(100, clock=lambda: now[0])

    for second in range(1, 13):
        now[0] = float(second)
        progress(2 * second)

    assert capsys.readouterr().err.splitlines() == [
        "10 of 100 questions, 2.0/s, about 45 s left",
        "20 of 100 questions, 2.0/s, about 40 s left",
    ]


def test_figures_are_printed_with_their_intervals_and_types(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo_figures(
        [count("answerable", 2), *mean("right", [1.0, 0.0])], CASES, [(0.5, 0.0), (1.0, 0.25)]
    )

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [["answerable", "2"], ["right", "0.500", "(0.000", "to", "1.000)"]]
    assert lines[4:6] == [
        ["when", "2", "1.000", "1", "1.000", "1.000"],
        ["who", "1", "0.000", "1", "0.000", "0.000"],
    ]
    assert lines[-2:] == [["coverage", "50%", "100%"], ["risk", "0.000", "0.250"]]


def test_json_has_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    echo_measured(mean("right", [1.0, 1.0]), CASES, more=1)

    shown = json.loads(capsys.readouterr().out)
    assert shown["figures"] == {"right": 1.0}
    assert shown["intervals"] == {"right": [1.0, 1.0]}
    assert shown["types"]["when"] == {
        "questions": 2,
        "answerable": 1,
        "accuracy": 1.0,
        "f1": 1.0,
        "right": 1.0,
    }
    assert shown["more"] == 1
    assert [row["answer"] for row in shown["questions"]] == ["six", None, None]
    assert [(row["best"], row["score"], row["right"]) for row in shown["questions"]][1:] == [
        (None, None, True),
        ("Bo", 0.2, False),
    ]


@pytest.mark.slow
def test_a_squad_file_is_measured_and_reported(command: Command, tmp_path: Path) -> None:
    squad, html, png = tmp_path / "squad.json", tmp_path / "x.html", tmp_path / "x.png"
    texts = {
        f"Town {number}": f"The mayor of Town {number} is Ann Smith {number}."
        for number in range(6)
    }
    articles = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": text,
                    "qas": [
                        {
                            "id": title,
                            "question": f"Who is the mayor of {title}?",
                            "answers": [{"text": text[24:-1]}],
                        }
                    ],
                }
            ],
        }
        for title, text in texts.items()
    ]
    squad.write_text(json.dumps({"data": articles}))

    done = command(
        "eval",
        "answers",
        str(squad),
        "--removed",
        "1/3",
        "--pool-size",
        "3",
        "--html",
        str(html),
        "--png",
        str(png),
        "--json",
    )
    read = command("eval", "reader", str(squad), "--alter", "no-mark", "--sample", "4", "--json")

    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert (measured["figures"]["unanswerable"], measured["figures"]["of them removed"]) == (2, 2)
    assert html.read_text("utf-8").count("<details") == 6
    assert png.read_bytes().startswith(b"\x89PNG")
    assert read.returncode == 0, read.stderr
    measured = json.loads(read.stdout)
    assert measured["figures"]["answerable"] == 4
    assert all(
        row["question"].startswith("Who is the mayor of Town") for row in measured["questions"]
    )
    lines = tmp_path / "q.jsonl"
    lines.write_text('{"id": "1", "question": "?", "answers": []}\n')
    refused = command("eval", "answers", str(lines), "--pool-size", "3")
    assert (
        refused.returncode,
        refused.stderr.startswith("error: q.jsonl is asked of the index"),
    ) == (1, True)


@pytest.mark.slow
def test_eval_measures_the_index(seeds_command: Command, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    question = {
        "id": "1",
        "question": "How much will Amazon invest in Anthropic?",
        "answers": ["$25 billion"],
    }
    questions.write_text(json.dumps(question) + "\n")

    done = seeds_command("eval", "answers", str(questions), "--json")

    measured = json.loads(done.stdout)
    assert done.returncode == 0
    assert measured["figures"]
    assert measured["questions"][0]["id"] == "1"
