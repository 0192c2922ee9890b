"""Command `qa chat`: a conversation in the terminal or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.ask import NO_ANSWER, own_or_sample
from qa.interfaces.cli.options import (
    bold,
    data_option,
    document_option,
    echo_json,
    echo_line,
    encoder_of,
    in_option,
    reader_of,
    settings_of,
    sure_option,
    terminal_width,
)

if TYPE_CHECKING:
    from qa.answer import Citation
    from qa.answering.live_pipeline import LivePipeline
    from qa.conversations.conversation import Conversations
    from qa.settings import Settings
    from qa.state.conversations import StoredTurn

HISTORY = "chat_history"
"""Name of the file in the data directory with the lines that were typed."""
MAX_HISTORY = 1000
"""Number of typed lines that are kept."""
_HELP = """\
/examples  show questions that the documents answer
/sources   list the sources that the last answer quotes
/open N    show the text around the Nth quote
/json      print the last answer as JSON
/new       begin another conversation
/quit      leave (or Ctrl-D)"""


@click.command()
@click.option(
    "--conversation",
    metavar="ID",
    help="Continue the conversation with this id (GET /conversations lists them).",
)
@in_option
@document_option
@sure_option
@data_option
def chat(
    conversation: str | None,
    *,
    tags: tuple[str, ...],
    documents: tuple[str, ...],
    sure: bool,
    data: Path | None,
) -> None:
    """Ask questions in a conversation.

    A follow-up question may leave out what was said before.

    Commands: /examples, /sources, /open N, /json, /new, /help, /quit. In a pipe each line is a
    turn, and the exit code is 3 if the last question got no answer.
    """
    from qa.bootstrap import live_pipeline, open_conversations

    with own_or_sample(settings_of(data)) as (settings, note):
        for line in note:
            echo_line(f"note: {line}", err=True)
        live = live_pipeline(settings, encoder_of(settings), reader_of(settings))
        session = Chat(open_conversations(settings), live, conversation, tags, documents, sure=sure)
        lines = typed_lines(settings) if sys.stdin.isatty() else piped_lines()
        for line in lines:
            if not session.handle_line(line):
                break
        live.close()
    sys.exit(0 if session.answered else NO_ANSWER)


class Chat:
    """A chat session: each line is a command or the next question of the conversation."""

    def __init__(
        self,
        conversations: Conversations,
        live: LivePipeline,
        conversation_id: str | None,
        tags: Sequence[str] = (),
        documents: Sequence[str] = (),
        *,
        sure: bool = False,
    ) -> None:
        """Continue a conversation, or begin one with the first question.

        With tags, only documents with any of them are searched, with `documents` only those of
        these ids, uris or paths; with `sure`, only sure answers are given. Raises
        UnknownConversation.
        """
        from qa.conversations.example_questions import ExampleQuestions
        from qa.state.conversations import LOCAL_OWNER

        self._owner = LOCAL_OWNER
        self._conversations = conversations
        self._live = live
        self._tags = tags or None
        self._documents = documents
        self._examples = ExampleQuestions()
        self._sure = sure
        self._id: str | None = None
        self._last_turn: StoredTurn | None = None
        if conversation_id:
            self._id = conversations.history.conversation(self._owner, conversation_id).id
            last_turns = conversations.history.turns(self._id, 1)
            self._last_turn = last_turns[0] if last_turns else None
        self._commands: dict[str, Callable[[str], None]] = {
            "/examples": self._echo_examples,
            "/sources": self._echo_sources,
            "/open": self._open_source,
            "/json": self._echo_json,
            "/new": self._begin_conversation,
            "/help": lambda _: click.echo(_HELP),
        }

    @property
    def answered(self) -> bool:
        """True if the last question got an answer, or if there is no question yet."""
        return self._last_turn is None or not self._last_turn.result["refusal"]

    def handle_line(self, line: str) -> bool:
        """Answer a question or carry out a command; return False if it is to leave."""
        name, _, argument = line.strip().partition(" ")
        if name in {"/quit", "/exit"}:
            return False
        if name.startswith("/"):
            self._run_command(name, argument.strip())
        elif name:
            self._ask(line.strip())
        return True

    def _run_command(self, name: str, argument: str) -> None:
        command = self._commands.get(name)
        if command is None:
            click.echo(f"error: there is no command {name}: /help lists them", err=True)
        else:
            command(argument)

    def _ask(self, question: str) -> None:
        """Answer a question as the next turn and print the answer or the error."""
        from qa.errors import QAError
        from qa.interfaces.plaintext.answers import turn_text

        try:
            self._live.refresh()
            with self._live.use() as pipeline:
                if self._id is None:
                    self._id = self._conversations.history.start(self._owner).id
                ask = partial(
                    pipeline.ask,
                    tags=self._tags,
                    documents=pipeline.documents_called(self._documents) or None,
                    strict=self._sure,
                )
                self._last_turn = self._conversations.ask(
                    self._owner, self._id, question, ask, pipeline.snapshot
                )
        except QAError as error:
            echo_line(f"error: {error}", err=True)
        else:
            click.echo(turn_text(self._last_turn.result, bold, terminal_width()) + "\n")
        finally:
            self._live.release_if_idle()

    def _citations(self) -> list[Citation]:
        """Return the citations of the last answer."""
        from qa.answer import answer_of

        if self._last_turn is None:
            return []
        return list(answer_of(self._last_turn.result).citations)

    def _echo_examples(self, _: str) -> None:
        """Print questions that the documents answer, and which languages work."""
        from qa.errors import QAError

        try:
            self._live.refresh()
            with self._live.use() as pipeline:
                questions = self._examples.questions(pipeline)
                languages = pipeline.policy.languages.sentence()
        except QAError as error:
            echo_line(f"error: {error}", err=True)
            return
        for question in questions:
            echo_line(question)
        click.echo(languages if questions else f"No question was found. {languages}")

    def _echo_sources(self, _: str) -> None:
        from qa.interfaces.plaintext.answers import place_text

        if self._last_turn is None:
            click.echo("Ask something first.")
            return
        citations = self._citations()
        for number, citation in enumerate(citations, 1):
            click.echo(f"{number}. {place_text(citation, terminal_width())}")
        if not citations:
            click.echo("The last answer quotes nothing.")

    def _open_source(self, argument: str) -> None:
        """Print the text around the quote with the number that /sources shows."""
        from qa.interfaces.plaintext.answers import quote_in_text

        citations = self._citations()
        if not argument.isdecimal() or not 1 <= int(argument) <= len(citations):
            self._refuse_number(argument, len(citations))
            return
        citation = citations[int(argument) - 1]
        # The text as it was quoted, which is kept even if the document has changed since.
        version = self._conversations.history.version(
            self._owner, citation.document_id, citation.sha256
        )
        if version is None:
            click.echo("That document has been deleted, and its text with it.")
        else:
            click.echo(quote_in_text(citation, version.text, _highlight, terminal_width()))

    def _refuse_number(self, argument: str, count: int) -> None:
        """Print the numbers that /open takes."""
        expected = "an answer with sources first"
        if count:
            expected = f"a number from 1 to {count}, as /sources shows them"
        click.echo(f"error: /open expects {expected}, got {argument or 'nothing'!r}", err=True)

    def _echo_json(self, _: str) -> None:
        echo_json(self._last_turn.result if self._last_turn else None)

    def _begin_conversation(self, _: str) -> None:
        self._id = self._last_turn = None
        click.echo("A new conversation begins with the next question.")


def piped_lines() -> Iterator[str]:
    """Yield the lines of standard input; invalid bytes become lone surrogates."""
    for line in sys.stdin.buffer:
        yield line.decode(sys.stdin.encoding, "surrogateescape")


def typed_lines(settings: Settings) -> Iterator[str]:
    """Yield lines typed at a prompt, with editing and history where readline exists."""
    click.echo(
        "Ask about your documents; /examples shows some questions, /help the commands, "
        "Ctrl-D leaves."
    )
    path = settings.data / HISTORY
    try:
        import readline
    except ImportError:  # Windows
        readline = None  # type: ignore[assignment]
    if readline:
        with suppress(OSError):  # there is no history yet, or it cannot be read
            readline.read_history_file(path)
        readline.set_history_length(MAX_HISTORY)
    while True:
        try:
            yield input("› ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return
        finally:
            # After each line: the process may be killed before the next one.
            if readline:
                with suppress(OSError):
                    readline.write_history_file(path)


def _highlight(text: str) -> str:
    return click.style(text, bold=True, reverse=True)
