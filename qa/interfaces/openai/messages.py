"""The question and the earlier turns in the messages of a chat request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.interfaces.openai.errors import BadRequest
from qa.interfaces.openai.requests import Message

Turn = tuple[str, str]
"""A question and the text of its answer, "" for a refusal."""
_QUOTE = re.compile(r"“([^”]*)” \[\d+\]")
"""A quote in a text of `qa.interfaces.plaintext.numbered`."""
_PARTS_OF_TEXT = {"text", "input_text"}


def question_and_turns(messages: Sequence[Message]) -> tuple[str, list[Turn]]:
    """Return the last message's question and the turns before it, the oldest first.

    Messages of the system and of tools are ignored: a quote has no tone. Raises BadRequest if the
    last message is not one of the user, or holds something else than text.
    """
    said = [each for each in messages if each.role in {"user", "assistant"}]
    if not said or said[-1].role != "user":
        raise BadRequest("the last message must be one of the user", "messages")
    turns: list[Turn] = []
    for message in said[:-1]:
        if message.role == "user":
            turns.append((text_of(message), ""))
        elif turns:
            turns[-1] = (turns[-1][0], _answer_in(text_of(message)))
    return text_of(said[-1]), turns


def text_of(message: Message) -> str:
    """Return the text of a message. Raises BadRequest for images, sounds and files."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    for part in message.content:
        if part.type not in _PARTS_OF_TEXT:
            raise BadRequest(
                f"content of the type {part.type!r} cannot be read: send text", "messages"
            )
    return "\n".join(part.text or "" for part in message.content)


def _answer_in(text: str) -> str:
    """Return the first quote in an answer; a text without one refuses, or is not ours."""
    quote = _QUOTE.search(text)
    return quote[1] if quote else ""
