"""Tests of bundles, deterministic answers, `qa verify` and POST /verify with the real models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.serving import SEEDS, Command, Server

pytestmark = pytest.mark.slow

QUESTION = "How much will Amazon invest in Anthropic?"


def test_an_answer_is_proved_against_the_index_and_against_a_copy(
    seeds_command: Command, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(seeds_command("ask", QUESTION, "--json").stdout)

    indexed = seeds_command("verify", str(answer))
    copied = seeds_command.on(tmp_path / "none")(
        "verify", str(answer), "--source", str(shutil.copytree(SEEDS, tmp_path / "copy"))
    )
    typed = seeds_command("verify", "-", "--json", stdin=answer.read_bytes())

    for done in (indexed, copied):
        assert done.returncode == 0, done.stderr
        assert "proved: answer: “$25 billion” — " in done.stdout
        count = len(done.stdout.splitlines()) - 1
        assert done.stdout.endswith(f"{count} of {count} quotes proved.\n")
    assert json.loads(typed.stdout)["proved"] is True


def test_another_amount_is_not_proved(seeds_command: Command, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(
        seeds_command("ask", QUESTION, "--json").stdout.replace("$25 billion", "$26 billion")
    )

    done = seeds_command("verify", str(answer))

    assert done.returncode == 5
    assert "NOT PROVED: answer: “$26 billion”" in done.stdout
    assert "'5 billion' stands at 55, not '6 billion'" in done.stdout


def test_a_bundle_is_proved_on_a_machine_without_the_index(
    seeds_command: Command, tmp_path: Path
) -> None:
    bundle, bare = tmp_path / "out.zip", tmp_path / "bare.zip"
    elsewhere = seeds_command.on(tmp_path / "none")
    assert seeds_command("ask", QUESTION, "--bundle", str(bundle)).returncode == 0
    assert (
        seeds_command("ask", QUESTION, "--bundle", str(bare), "--without-sources").returncode == 0
    )

    proved = elsewhere("verify", str(bundle))
    lacking = elsewhere("verify", str(bare))
    named = elsewhere("verify", str(bare), "--source", str(SEEDS))
    bundle.write_bytes(bundle.read_bytes().replace(b"$25 billion", b"$26 billion", 1))
    changed = elsewhere("verify", str(bundle))

    assert (proved.returncode, named.returncode) == (0, 0), proved.stdout + named.stdout
    assert "proved: passage: " in proved.stdout
    assert (lacking.returncode, lacking.stdout.count("--source")) == (
        5,
        lacking.stdout.count("NOT PROVED"),
    )
    assert changed.returncode == 1
    assert changed.stderr.startswith("error: expected a bundle")


def test_a_deterministic_answer_is_the_same_bytes_every_time(seeds_command: Command) -> None:
    first, again = (seeds_command("ask", QUESTION, "--json", "--deterministic") for _ in range(2))

    assert first.stdout == again.stdout
    plain = json.loads(first.stdout)
    assert (plain["answer"], plain["timings_ms"], plain["truncated"]) == ("$25 billion", {}, False)


def test_over_http_only_documents_of_the_index_are_looked_at(
    seeds_command: Command, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("The code is 4711.")
    with Server(seeds_command).ready() as server:
        answer = server.client.post("/ask", json={"question": QUESTION}).json()
        proved = server.client.post("/verify", json=answer).json()
        other = json.loads(
            json.dumps(answer).replace(answer["citations"][0]["document_id"], str(secret))
        )
        elsewhere = server.client.post("/verify", json=other).json()
        wrong = server.client.post("/verify", json={"answer": "x"})

    assert proved["proved"] is True
    assert {check["name"] for proof in elsewhere["proofs"] for check in proof["checks"]} == {
        "source"
    }
    assert (wrong.status_code, wrong.json()["title"]) == (422, "Invalid answer")


@pytest.mark.parametrize(
    "arguments", [("verify", "nowhere.json"), ("ask", QUESTION, "--without-sources")]
)
def test_wrong_usage_is_an_error(seeds_command: Command, arguments: tuple[str, ...]) -> None:
    done = seeds_command(*arguments)

    assert done.returncode == 2
    assert "Error: " in done.stderr
