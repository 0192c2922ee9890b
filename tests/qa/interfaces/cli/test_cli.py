"""Tests of the `qa` command in processes of its own: output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.store.schema import FILE_NAME
from tests.qa.test_answer import ANSWER_KEYS, CITATION_KEYS
from tests.support.serving import SEEDS, Command, write_files

pytestmark = pytest.mark.slow

AMAZON = "How much will Amazon invest in Anthropic?"
SEED = " ".join(" ".join(path.read_text("utf-8") for path in SEEDS.iterdir()).split())
COOKING = {"soup.txt": "Simmer the onions in butter for ten minutes before adding the stock."}


@pytest.fixture
def cooking(command: Command, tmp_path: Path) -> Command:
    """Return the command with a one-line cooking note indexed."""
    write_files(tmp_path / "notes", COOKING)
    assert command("index", str(tmp_path / "notes")).returncode == 0
    return command


def test_ask_quotes_the_seeds(seeds_command: Command) -> None:
    done = seeds_command("ask", AMAZON)

    answer, *rest = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert answer in SEED
    assert any("000_385283db09dd95fb.txt, line " in line and "characters " in line for line in rest)
    assert "confidence" in done.stdout
    assert "\x1b" not in done.stdout


def test_ask_json_from_standard_input(seeds_command: Command) -> None:
    done = seeds_command("ask", "-", "--json", "--top-k", "3", stdin=f" {AMAZON}\n".encode())

    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(answer) == ANSWER_KEYS
    assert list(answer["citations"][0]) == CITATION_KEYS
    assert answer["question"] == AMAZON
    assert answer["answer"] == answer["citations"][0]["quote"]
    assert " ".join(answer["citations"][0]["sentence"].split()) in SEED
    assert answer["citations"][0]["uri"] == "000_385283db09dd95fb.txt"
    assert answer["passages_read"] == 3


def test_a_passed_deadline_reads_fewer_passages_and_adds_a_note(seeds_command: Command) -> None:
    done = seeds_command("ask", AMAZON, "--json", "--top-k", "9", "--deadline", "0.000001")

    answer = json.loads(done.stdout)
    assert (done.returncode, answer["passages_found"]) == (0, 9)
    assert answer["passages_read"] < 9
    assert any("before the deadline" in note for note in answer["notes"])


def test_characters_that_the_encoding_lacks_are_escaped(seeds_command: Command) -> None:
    done = seeds_command.on(seeds_command.data, PYTHONIOENCODING="latin-1", PYTHONUTF8="0")(
        "ask", AMAZON
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2014" in done.stdout


def test_a_question_without_an_answer_exits_with_3(cooking: Command) -> None:
    done = cooking.on(cooking.data, QUOTED_MIN_CONFIDENCE="1")(
        "ask", "What is the population of Japan?"
    )

    assert done.returncode == 3
    assert done.stdout.startswith("No answer found: ")
    assert "soup.txt, characters 0–" in done.stdout


def test_a_question_in_another_language_gets_a_note(cooking: Command) -> None:
    done = cooking(
        "ask", "Wie lange müssen die Zwiebeln in der Butter dünsten, bevor die Brühe dazukommt?"
    )

    assert done.returncode in {0, 3}
    assert "Note: The question looks like German; the models read English" in done.stdout


def test_asked_of_nothing_the_sample_answers_says_so_and_leaves_nothing(command: Command) -> None:
    done = command.on(command.data, QUOTED_MIN_CONFIDENCE="0")("ask", AMAZON)

    assert done.returncode == 0
    assert "000_385283db09dd95fb.txt" in done.stdout
    assert "note: Nothing is indexed yet: this is from the sample document." in done.stderr
    assert not list(command.data.rglob("index.db"))


def test_one_document_is_asked_by_its_uri(cooking: Command, tmp_path: Path) -> None:
    write_files(tmp_path / "notes", {"bread.txt": "The bread bakes for forty minutes at noon."})
    cooking("index", str(tmp_path / "notes"))

    asked = cooking("ask", "How long does it take?", "--document", "bread.txt", "--json")
    found = cooking("search", "minutes", "--document", "bread.txt", "--json")
    wrong = cooking("ask", "How long?", "--document", "cake.txt")

    answer = json.loads(asked.stdout)
    [document_id] = answer["documents"]
    spans = [*answer["answers"], *answer["alternatives"]]
    assert {span["citation"]["document_id"] for span in spans} == {document_id}
    assert {each["uri"] for each in json.loads(found.stdout)} == {"bread.txt"}
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "error: 0 documents are called 'cake.txt': see `qa list`\n",
    )


@pytest.mark.parametrize(
    ("question", "stdin", "reason"),
    [
        ("", b"", "is empty"),
        ("-", b" \t\n", "is empty"),
        ("-", b"a" * 100_000, "100,000 characters"),
        ("-", b"who\0?", "NUL"),
        (b"who \xff?", b"", "lone surrogate"),
        ("-", b"who \xed\xa0\x80?", "lone surrogate"),
    ],
)
def test_an_invalid_question_exits_with_1_and_a_reason(
    seeds_command: Command, question: str, stdin: bytes, reason: str
) -> None:
    done = seeds_command("ask", question, stdin=stdin)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the question")
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask"],
        ["ask", "x", "--top-k", "0"],
        ["ask", "x", "--deadline", "0"],
        ["nonsense"],
        ["index"],
        ["forget"],
        ["serve", "--port", "x"],
        ["ask", "x", "--no"],
    ],
)
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str]) -> None:
    done = Command(tmp_path, tmp_path)(*arguments)

    assert done.returncode == 2
    assert "Usage: qa" in done.stderr


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"QUOTED_TOP_K": "many"}, "QUOTED_TOP_K: expected"),
        ({"QUOTED_MODEL": "no/such/folder"}, "model 'no/such/folder'"),
    ],
)
def test_an_error_exits_with_1_and_one_line(
    command: Command, extra: dict[str, str], reason: str
) -> None:
    done = command.on(command.data, **extra)("index", ".")

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_directory_that_is_a_file_and_a_damaged_store_are_errors(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    command.data.mkdir()
    (command.data / FILE_NAME).write_bytes(b"no database at all" * 1000)

    for data, reason in (
        (tmp_path / "file", "cannot be created"),
        (command.data, "or move the file away and index again"),
    ):
        done = command.on(data)(
            "list" if data == command.data else "forget",
            *([] if data == command.data else ["--all"]),
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert reason in done.stderr


def test_index_reports_what_it_skips_one_line_each(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    write_files(
        folder,
        {
            **COOKING,
            "empty.txt": "",
            "binary.txt": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
            "image.png": b"x",
        },
    )

    done = command("index", str(folder), str(tmp_path / "missing.txt"))

    assert done.returncode == 4
    assert done.stdout == "Indexed: 1 added, 3 skipped, 1 of other formats left out.\n"
    assert [line.split(":")[:2] for line in sorted(done.stderr.splitlines())] == [
        ["not read, of other formats", " image.png"],
        ["skipped", " binary.txt"],
        ["skipped", " empty.txt"],
        ["skipped", " missing.txt"],
    ]


def test_indexing_again_changes_nothing_and_notes_a_foreign_language(
    cooking: Command, tmp_path: Path
) -> None:
    german = "Die Zwiebeln werden zehn Minuten lang in Butter gedünstet, bevor die Brühe dazukommt."
    write_files(tmp_path / "notes", {"suppe.txt": german})

    done = cooking("index", str(tmp_path / "notes"))

    assert (done.returncode, done.stdout) == (0, "Indexed: 1 added, 1 unchanged.\n")
    assert "Languages: 1 in German. Answers are read in English." in done.stderr


def test_prune_refuses_what_looks_like_an_accident(cooking: Command, tmp_path: Path) -> None:
    (tmp_path / "notes" / "soup.txt").unlink()

    refused = cooking("index", "--prune", str(tmp_path / "notes"))
    assert refused.returncode == 1
    assert "refused: " in refused.stderr
    assert "--yes" in refused.stderr
    assert "soup.txt" in cooking("list").stdout

    done = cooking("index", "--prune", "--yes", str(tmp_path / "notes"))
    assert (done.returncode, done.stdout) == (0, "Indexed: 1 removed.\n")
    assert cooking("list").stdout == ""


def test_list_remove_and_forget(cooking: Command, tmp_path: Path) -> None:
    write_files(tmp_path / "notes", {"tea.md": "# Tea\n\nSteep it for four minutes."})
    cooking("index", str(tmp_path / "notes"))

    soup, tea = cooking("list").stdout.splitlines()
    assert soup.split()[1:4] == ["1", "passages", "soup.txt"]
    assert tea.endswith("tea.md  Tea")
    listed = json.loads(cooking("list", "--json").stdout)
    assert [(each["uri"], each["title"], each["state"]) for each in listed] == [
        ("soup.txt", "Simmer the onions in butter for ten minutes before adding…", "current"),
        ("tea.md", "Tea", "current"),
    ]

    assert cooking("remove", "nothing.txt").returncode == 1
    removed = cooking("remove", "tea.md")
    assert (removed.returncode, removed.stdout) == (0, f"Removed tea.md ({listed[1]['id']}).\n")

    forgotten = cooking("forget", "--all")
    assert (forgotten.returncode, forgotten.stdout) == (0, "Forgot 1 document.\n")
    empty = cooking("list")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert not any(
        b"onions" in path.read_bytes() for path in cooking.data.rglob("*") if path.is_file()
    )


def test_an_empty_index_answers_nothing(cooking: Command) -> None:
    cooking("forget", "--all")

    done = cooking("ask", AMAZON)

    assert done.returncode == 3
    assert done.stdout.startswith("No answer found: ")


def test_search_shows_every_score(seeds_command: Command) -> None:
    table = seeds_command("search", "Amazon Anthropic", "--top-k", "3")
    rows = json.loads(seeds_command("search", "Amazon Anthropic", "--top-k", "3", "--json").stdout)

    assert table.stdout.splitlines()[0].split() == ["rank", "fused", "dense", "BM25", "passage"]
    assert len(table.stdout.splitlines()) == 4
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert {
        "score",
        "dense_score",
        "dense_rank",
        "bm25_score",
        "bm25_rank",
        "uri",
        "start",
        "end",
        "text",
    } <= rows[0].keys()


def test_list_without_an_index_says_what_to_run(seeds_command: Command, tmp_path: Path) -> None:
    done = seeds_command.on(tmp_path / "none")("list")

    assert done.returncode == 0
    assert "qa index PATH" in done.stderr
