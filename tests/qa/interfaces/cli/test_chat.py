"""`qa chat`: commands, errors and what it prints, in this process and in a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qa.bootstrap import conversations_of, live_pipeline
from qa.errors import UnknownConversation
from qa.interfaces.cli.chat import Chat
from qa.library.library import open_store
from qa.settings import Settings
from qa.state.conversations import LOCAL_OWNER
from tests.support.fakes import SharedWordsReader
from tests.support.serving import Command, carded, indexed, settings_in, write_files

FILES = {
    "tide.txt": "The tide at Porto turns at six.\n\nThe tide at Porto falls by two metres.\n",
    "bread.txt": "Bread rises for two hours.",
}
Said = Callable[[], tuple[str, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path, min_confidence=0.6)
    indexed(made, carded(), tmp_path / "corpus", FILES)
    return made


@pytest.fixture
def chat(settings: Settings) -> Chat:
    return begin(settings)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: tuple(capsys.readouterr())  # type: ignore[return-value]


def begin(settings: Settings, conversation: str | None = None) -> Chat:
    return Chat(
        conversations_of(settings),
        live_pipeline(settings, carded(), SharedWordsReader()),
        conversation,
    )


def test_a_question_and_its_follow_up(chat: Chat, said: Said) -> None:
    assert chat.take("When does the tide at Porto turn?\n")
    first = said()[0]
    assert chat.take("  How far does it fall?")
    second = said()[0]

    assert first.startswith("The tide at Porto turns at six.\n")
    assert "tide.txt, line 1" in first
    assert second.startswith("Understood as: How far does Porto fall?\n")
    assert chat.answered


def test_a_refusal_is_remembered(chat: Chat, said: Said) -> None:
    assert chat.take("Who rules the waves of Vigo?")

    assert "No answer found" in said()[0]
    assert not chat.answered
    chat.take("/sources")
    assert said() == ("The last answer quotes nothing.\n", "")


def test_sources_and_opening_one(chat: Chat, said: Said) -> None:
    chat.take("/sources")
    assert said() == ("Ask something first.\n", "")
    chat.take("When does the tide at Porto turn?")
    said()
    chat.take("/sources")
    assert (
        said()[0]
        == "1. The tide at Porto turns at six. (tide.txt, line 1): “The tide at Porto turns at six.”\n"
    )
    chat.take("/open 1")
    assert "The tide at Porto falls by two metres." in said()[0]


@pytest.mark.parametrize("argument", ["", "0", "2", "x", "-1", "²"])
def test_opening_what_is_not_there(chat: Chat, said: Said, argument: str) -> None:
    chat.take("When does the tide at Porto turn?")
    said()

    chat.take(f"/open {argument}")

    assert said() == (
        "",
        f"error: /open expects a number from 1 to 1, as /sources shows them, got {argument or 'nothing'!r}\n",
    )


def test_opening_what_was_deleted(chat: Chat, settings: Settings, said: Said) -> None:
    chat.take("When does the tide at Porto turn?")
    with open_store(settings) as store, store.writing():
        store.remove([store.find("tide.txt").document_id])
    said()

    chat.take("/open 1")

    assert "has been deleted" in said()[0]


def test_json_is_that_of_the_last_answer(chat: Chat, said: Said) -> None:
    chat.take("When does the tide at Porto turn?")
    said()
    chat.take("/json")

    assert json.loads(said()[0])["answer"] == "The tide at Porto turns at six."


def test_a_new_conversation_forgets_what_was_said(
    chat: Chat, settings: Settings, said: Said
) -> None:
    chat.take("When does the tide at Porto turn?")
    chat.take("/new")
    assert "new conversation" in said()[0]
    chat.take("How far does it fall?")

    assert "Understood as" not in said()[0]
    assert [
        info.turns for info in conversations_of(settings).history.conversations(LOCAL_OWNER)
    ] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("line", "error"),
    [("/nope", "there is no command /nope: /help lists them"), ("\udcff", "lone surrogate")],
)
def test_what_is_no_command_and_no_question(chat: Chat, said: Said, line: str, error: str) -> None:
    assert chat.take(line)

    assert error in said()[1]
    assert chat.answered


def test_help_empty_lines_and_leaving(chat: Chat, said: Said) -> None:
    assert chat.take("/help")
    assert chat.take("   ")
    shown = said()[0]
    assert all(name in shown for name in ("/sources", "/open N", "/json", "/new", "/quit"))
    assert not chat.take("/quit")
    assert not chat.take("/exit\n")


def test_going_on_with_a_conversation(settings: Settings, said: Said) -> None:
    begin(settings).take("When does the tide at Porto turn?")
    [info] = conversations_of(settings).history.conversations(LOCAL_OWNER)

    begin(settings, info.id).take("How far does it fall?")

    assert "Understood as" in said()[0]
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
