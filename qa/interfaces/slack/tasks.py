"""Tasks of the Slack worker, and their JSON in the message queue.

`events` makes a task of each request that Slack sends, `handlers` and `answers` carry it out. In
between it lies in state.db as JSON, which may have been written by an older version: keys are added
here, never renamed, and read with a default where an older version did not write them.

A "ts" is Slack's timestamp of a message, which identifies the message within its channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Payload = Mapping[str, Any]
Verdict = Literal["right", "wrong"]


@dataclass(frozen=True, slots=True)
class QuestionTask:
    """A question to answer in its channel or thread."""

    kind: ClassVar[str] = "question"
    question: str
    reply_to: str | None
    """Ts of the thread to answer in; None for a direct message outside of a thread."""


@dataclass(frozen=True, slots=True)
class CommandTask:
    """A question from a slash command, to answer to its author alone."""

    kind: ClassVar[str] = "command"
    question: str
    response_url: str


@dataclass(frozen=True, slots=True)
class EditTask:
    """The new wording of a question that has been answered, or is being answered."""

    kind: ClassVar[str] = "edit"
    question: str
    reply_to: str | None
    question_ts: str


@dataclass(frozen=True, slots=True)
class DeleteTask:
    """A deleted question whose answer is to be deleted, too."""

    kind: ClassVar[str] = "delete"
    question_ts: str


@dataclass(frozen=True, slots=True)
class NoticeTask:
    """A refusal to answer, to show to the author of a question alone."""

    kind: ClassVar[str] = "notice"
    question: str
    reply_to: str | None
    text: str


@dataclass(frozen=True, slots=True)
class _PressedButton:
    """The button of an answer that was pressed, and where to reply."""

    turn_id: int
    trigger_id: str
    response_url: str
    thread: str | None


@dataclass(frozen=True, slots=True)
class FeedbackTask(_PressedButton):
    """A verdict on an answer: "right" or "wrong"."""

    kind: ClassVar[str] = "feedback"
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SourceTask(_PressedButton):
    """A press of the button that shows the source of an answer."""

    kind: ClassVar[str] = "source"


@dataclass(frozen=True, slots=True)
class ShareTask(_PressedButton):
    """A press of the button that posts an answer in the channel."""

    kind: ClassVar[str] = "share"


AnswerTask = QuestionTask | CommandTask | EditTask
"""Tasks with a question to answer."""
ButtonTask = FeedbackTask | SourceTask | ShareTask
"""Tasks of pressed buttons."""
Task = AnswerTask | DeleteTask | NoticeTask | ButtonTask

QUESTION_KINDS = (QuestionTask.kind, CommandTask.kind)
"""Kinds that count as questions for the rate limit."""
BACKGROUND_KINDS = (*QUESTION_KINDS, EditTask.kind, DeleteTask.kind, NoticeTask.kind)
"""Kinds that may take their time."""
BUTTON_KINDS = (FeedbackTask.kind, SourceTask.kind, ShareTask.kind)
"""Kinds for which somebody is waiting who has pressed a button."""

_NO_VERDICT = "wrong"
"""Stored for buttons other than feedback, as all versions have done; nothing reads it."""


def payload_of(task: Task) -> dict[str, Any]:  # noqa: PLR0911 - one return for each kind
    """Return the JSON object of a task, as the message queue stores it."""
    match task:
        case QuestionTask():
            return {"question": task.question, "reply_to": task.reply_to, "notice": None}
        case NoticeTask():
            return {"question": task.question, "reply_to": task.reply_to, "notice": task.text}
        case CommandTask():
            return {"question": task.question, "response_url": task.response_url}
        case EditTask():
            return {
                "question": task.question,
                "reply_to": task.reply_to,
                "of": task.question_ts,
            }
        case DeleteTask():
            return {"of": task.question_ts}
        case FeedbackTask():
            return _button_payload(task, task.verdict)
        case SourceTask() | ShareTask():
            return _button_payload(task, _NO_VERDICT)


def _button_payload(task: ButtonTask, verdict: str) -> dict[str, Any]:
    return {
        "turn_id": task.turn_id,
        "verdict": verdict,
        "trigger_id": task.trigger_id,
        "response_url": task.response_url,
        "thread": task.thread,
    }


def task_of(kind: str, payload: Payload) -> Task:
    """Return the task of a kind from its JSON object.

    Raises KeyError for an unknown kind or if a needed key is missing.
    """
    return _PARSERS[kind](payload)


def _button_fields(payload: Payload) -> dict[str, Any]:
    return {
        "turn_id": payload["turn_id"],
        "trigger_id": payload.get("trigger_id", ""),
        "response_url": payload["response_url"],
        "thread": payload.get("thread"),
    }


_PARSERS: Mapping[str, Callable[[Payload], Task]] = {
    # A waiting question whose author edits it has the JSON of an edit, with "of" for itself.
    QuestionTask.kind: lambda payload: QuestionTask(payload["question"], payload["reply_to"]),
    CommandTask.kind: lambda payload: CommandTask(payload["question"], payload["response_url"]),
    EditTask.kind: lambda payload: EditTask(
        payload["question"], payload.get("reply_to"), payload["of"]
    ),
    DeleteTask.kind: lambda payload: DeleteTask(payload["of"]),
    NoticeTask.kind: lambda payload: NoticeTask(
        payload.get("question", ""), payload["reply_to"], payload["notice"]
    ),
    FeedbackTask.kind: lambda payload: FeedbackTask(
        **_button_fields(payload), verdict=payload["verdict"]
    ),
    SourceTask.kind: lambda payload: SourceTask(**_button_fields(payload)),
    ShareTask.kind: lambda payload: ShareTask(**_button_fields(payload)),
}
