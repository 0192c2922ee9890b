"""`qa chat`: a conversation in the terminal, or in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.ask import NO_ANSWER, indexed_or_seeds
from qa.interfaces.cli.options import (
    data_option,
    echo_json,
    encoder_of,
    in_option,
    reader_of,
    settings_of,
    terminal_width,
)

if TYPE_CHECKING:
    from qa.answer import Citation
    from qa.answering.live_pipeline import LivePipeline
    from qa.conversations.conversation import Conversations
    from qa.settings import Settings
    from qa.state.conversations import StoredTurn

HISTORY = "chat_history"
"""Name of the file with the lines that were typed, in the data directory."""
MAX_HISTORY = 1000
_HELP = """\
/sources   the places that the last answer quotes
/open N    the text around the Nth of them
/json      the last answer as JSON
/new       begin another conversation
/quit      leave (or Ctrl-D)"""


@click.command()
@click.option(
    "--conversation", help="Go on with this one, by its id (GET /conversations lists them)."
)
@in_option
@data_option
def chat(conversation: str | None, *, tags: tuple[str, ...], data: Path | None) -> None:
    """Ask in turns; a follow-up may leave out what was said before.

    Commands: /sources, /open N, /json, /new, /help, /quit. In a pipe each line is a turn, and the
    exit code is 3 if the last got no answer.
    """
    from qa.bootstrap import conversations_of, live_pipeline

    settings = settings_of(data)
    indexed_or_seeds(settings)
    live = live_pipeline(settings, encoder_of(settings), reader_of(settings))
    session = Chat(conversations_of(settings), live, conversation, tags)
    for line in typed(settings) if sys.stdin.isatty() else piped():
        if not session.take(line):
            break
    live.close()
    sys.exit(0 if session.answered else NO_ANSWER)


class Chat:
    """One conversation after another; every line is a command or the next question."""

    def __init__(
        self,
        conversations: Conversations,
        live: LivePipeline,
        conversation_id: str | None,
        tags: Sequence[str] = (),
    ) -> None:
        """Go on with a conversation or begin one with the first question, about documents with any
        of the tags if there are any; raises UnknownConversation.
        """
        from qa.state.conversations import LOCAL

        self._owner = LOCAL
        self._conversations = conversations
        self._live = live
        self._tags = tags or None
        self._id = (
            conversations.history.conversation(self._owner, conversation_id).id
            if conversation_id
            else None
        )
        turns = conversations.history.turns(self._id, 1) if self._id else []
        self._turn: StoredTurn | None = turns[0] if turns else None
        self._commands: dict[str, Callable[[str], None]] = {
            "/sources": self._sources,
            "/open": self._open,
            "/json": self._json,
            "/new": self._new,
            "/help": lambda _: click.echo(_HELP),
        }

    @property
    def answered(self) -> bool:
        """Whether the last question got an answer; true before there is one."""
        return self._turn is None or bool(self._turn.result["answers"])

    def take(self, line: str) -> bool:
        """Do what a line says; False if it says to leave."""
        name, _, argument = line.strip().partition(" ")
        if name in {"/quit", "/exit"}:
            return False
        if name.startswith("/"):
            known = self._commands.get(name)
            if known:
                known(argument.strip())
            else:
                click.echo(f"error: there is no command {name}: /help lists them", err=True)
        elif name:
            self._ask(line.strip())
        return True

    def _ask(self, question: str) -> None:
        from qa.errors import QAError
        from qa.interfaces.plaintext.answers import turn_text

        try:
            self._live.refresh()
            with self._live.use() as pipeline:
                self._id = self._id or self._conversations.history.start(self._owner).id
                ask = partial(pipeline.ask, tags=self._tags)
                self._turn = self._conversations.ask(
                    self._owner, self._id, question, ask, pipeline.snapshot
                )
        except QAError as error:
            click.echo(f"error: {error}", err=True)
        else:
            click.echo(
                turn_text(
                    self._turn.result, lambda text: click.style(text, bold=True), terminal_width()
                )
                + "\n"
            )
        finally:
            self._live.release_if_idle()

    def _citations(self) -> list[Citation]:
        from qa.answer import answer_of

        return list(answer_of(self._turn.result).citations) if self._turn else []

    def _sources(self, _: str) -> None:
        from qa.interfaces.plaintext.answers import place_text

        citations = self._citations()
        for number, citation in enumerate(citations, 1):
            click.echo(f"{number}. {place_text(citation, terminal_width())}")
        if not citations:
            click.echo("The last answer quotes nothing." if self._turn else "Ask something first.")

    def _open(self, argument: str) -> None:
        from qa.interfaces.plaintext.answers import quote_in_text

        citations = self._citations()
        if not argument.isdecimal() or not 1 <= int(argument) <= len(citations):
            wanted = (
                f"a number from 1 to {len(citations)}, as /sources shows them"
                if citations
                else "an answer with sources first"
            )
            click.echo(f"error: /open expects {wanted}, got {argument or 'nothing'!r}", err=True)
            return
        citation = citations[int(argument) - 1]
        version = self._conversations.history.version(citation.document_id, citation.sha256)
        if version is None:
            click.echo("That document has been deleted, and its text with it.")
        else:
            click.echo(
                quote_in_text(
                    citation,
                    version.text,
                    lambda text: click.style(text, bold=True, reverse=True),
                    terminal_width(),
                )
            )

    def _json(self, _: str) -> None:
        echo_json(self._turn.result if self._turn else None)

    def _new(self, _: str) -> None:
        self._id, self._turn = None, None
        click.echo("A new conversation begins with the next question.")


def piped() -> Iterator[str]:
    """The lines of standard input."""
    for line in sys.stdin.buffer:
        yield line.decode(sys.stdin.encoding, "surrogateescape")


def typed(settings: Settings) -> Iterator[str]:
    """Lines typed at a prompt, with editing and history where the platform has readline."""
    click.echo("Ask about your documents; /help lists the commands, Ctrl-D leaves.")
    path = settings.data / HISTORY
    try:
        import readline
    except ImportError:  # Windows
        readline = None  # type: ignore[assignment]
    if readline:
        with suppress(OSError):
            readline.read_history_file(path)
        readline.set_history_length(MAX_HISTORY)
    while True:
        try:
            yield input("› ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return
        finally:
            if readline:
                with suppress(OSError):
                    readline.write_history_file(path)
