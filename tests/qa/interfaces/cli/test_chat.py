"""Tests of `qa chat`: its commands, errors and output, in this process and in a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qa.bootstrap import live_pipeline, open_conversations
from qa.errors import UnknownConversation
from qa.interfaces.cli.chat import Chat
from qa.library.documents import open_store
from qa.settings import Settings
from qa.state.conversations import LOCAL_OWNER
from tests.support.fakes import SharedWordsReader
from tests.support.serving import Command, carded, indexed, settings_in, write_files

FILES = {
    "tide.txt": "The tide at Porto turns at six.\n\nThe tide at Porto falls by two metres.\n",
    "bread.txt": "Bread rises for two hours.",
}
Printed = Callable[[], tuple[str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, min_confidence=0.6)
    indexed(made, carded(), tmp_path / "corpus", FILES)
    return made


@pytest.fixture
def chat(settings: Settings) -> Chat:
    return begin(settings)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return lambda: tuple(capsys.readouterr())  # type: ignore[return-value]


def begin(settings: Settings, conversation: str | None = None) -> Chat:
    return Chat(
        open_conversations(settings),
        live_pipeline(settings, carded(), SharedWordsReader()),
        conversation,
    )


def test_a_question_and_its_follow_up(chat: Chat, printed: Printed) -> None:
    assert chat.handle_line("When does the tide at Porto turn?\n")
    first = printed()[0]
    assert chat.handle_line("  How far does it fall?")
    second = printed()[0]

    assert first.startswith("The tide at Porto turns at six.\n")
    assert "tide.txt, line 1" in first
    assert second.startswith("Understood as: How far does Porto fall?\n")
    assert chat.answered


def test_a_refusal_is_remembered(chat: Chat, printed: Printed) -> None:
    assert chat.handle_line("Who rules the waves of Vigo?")

    assert "No answer found" in printed()[0]
    assert not chat.answered
    chat.handle_line("/sources")
    assert printed() == ("The last answer quotes nothing.\n", "")


def test_sources_are_listed_and_one_is_opened(chat: Chat, printed: Printed) -> None:
    chat.handle_line("/sources")
    assert printed() == ("Ask something first.\n", "")
    chat.handle_line("When does the tide at Porto turn?")
    printed()
    chat.handle_line("/sources")
    sentence = "The tide at Porto turns at six."
    assert printed()[0] == f"1. {sentence} (tide.txt, line 1): “{sentence}”\n"
    chat.handle_line("/open 1")
    assert "The tide at Porto falls by two metres." in printed()[0]


@pytest.mark.parametrize("argument", ["", "0", "2", "x", "-1", "²"])
def test_open_refuses_a_number_without_a_source(
    chat: Chat, printed: Printed, argument: str
) -> None:
    chat.handle_line("When does the tide at Porto turn?")
    printed()

    chat.handle_line(f"/open {argument}")

    assert printed() == (
        "",
        (
            "error: /open expects a number from 1 to 1, as /sources shows them, "
            f"got {argument or 'nothing'!r}\n"
        ),
    )


def test_open_says_that_a_document_was_deleted(
    chat: Chat, settings: Settings, printed: Printed
) -> None:
    chat.handle_line("When does the tide at Porto turn?")
    with open_store(settings) as store, store.writing():
        store.remove([store.find("tide.txt").document_id])
    printed()

    chat.handle_line("/open 1")

    assert "has been deleted" in printed()[0]


def test_json_prints_the_last_answer(chat: Chat, printed: Printed) -> None:
    chat.handle_line("When does the tide at Porto turn?")
    printed()
    chat.handle_line("/json")

    assert json.loads(printed()[0])["answer"] == "The tide at Porto turns at six."


def test_a_new_conversation_has_no_context(
    chat: Chat, settings: Settings, printed: Printed
) -> None:
    chat.handle_line("When does the tide at Porto turn?")
    chat.handle_line("/new")
    assert "new conversation" in printed()[0]
    chat.handle_line("How far does it fall?")

    assert "Understood as" not in printed()[0]
    assert [
        info.turns for info in open_conversations(settings).history.conversations(LOCAL_OWNER)
    ] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [("/nope", "there is no command /nope: /help lists them"), ("\udcff", "lone surrogate")],
)
def test_an_unknown_command_and_an_invalid_question_are_errors(
    chat: Chat, printed: Printed, line: str, error: str
) -> None:
    assert chat.handle_line(line)

    assert error in printed()[1]
    assert chat.answered


def test_help_empty_lines_and_quit(chat: Chat, printed: Printed) -> None:
    assert chat.handle_line("/help")
    assert chat.handle_line("   ")
    shown = printed()[0]
    assert all(name in shown for name in ("/sources", "/open N", "/json", "/new", "/quit"))
    assert not chat.handle_line("/quit")
    assert not chat.handle_line("/exit\n")


def test_a_conversation_is_continued_by_its_id(settings: Settings, printed: Printed) -> None:
    begin(settings).handle_line("When does the tide at Porto turn?")
    [info] = open_conversations(settings).history.conversations(LOCAL_OWNER)

    begin(settings, info.id).handle_line("How far does it fall?")

    assert "Understood as" in printed()[0]
    with pytest.raises(UnknownConversation):
        begin(settings, "nope")


@pytest.mark.slow
def test_in_a_pipe_each_line_is_a_turn(command: Command, tmp_path: Path) -> None:
    write_files(tmp_path / "notes", {"soup.txt": "Simmer the onions in butter for ten minutes."})
    assert command("index", str(tmp_path / "notes")).returncode == 0
    sure, unsure = (command.on(command.data, QUOTED_MIN_CONFIDENCE=least) for least in ("0", "1"))

    answered = sure(
        "chat", stdin=b"What simmers in butter?\n/new\nFor how long do the onions simmer?"
    )
    refused = unsure("chat", stdin=b"What simmers in butter?\n")

    assert (answered.returncode, refused.returncode) == (0, 3), answered.stderr
    assert answered.stdout.count("confidence:") == 2
    assert "›" not in answered.stdout
    assert command("chat", "--conversation", "nope").returncode == 1
