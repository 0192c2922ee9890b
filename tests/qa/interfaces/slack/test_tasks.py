"""Tasks and their JSON in the message queue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qa.interfaces.slack.tasks import (
    BACKGROUND_KINDS,
    BUTTON_KINDS,
    CommandTask,
    DeleteTask,
    EditTask,
    FeedbackTask,
    NoticeTask,
    QuestionTask,
    ShareTask,
    SourceTask,
    Task,
    payload_of,
    task_of,
)

URL = "https://hooks.slack.com/actions/1"
BUTTON = {"turn_id": 7, "verdict": "wrong", "trigger_id": "1.t", "response_url": URL, "thread": "1"}
STORED: list[tuple[Task, dict[str, Any]]] = [
    (QuestionTask("Who?", "1.0"), {"question": "Who?", "reply_to": "1.0", "notice": None}),
    (QuestionTask("Who?", None), {"question": "Who?", "reply_to": None, "notice": None}),
    (CommandTask("Who?", URL), {"question": "Who?", "response_url": URL}),
    (EditTask("Who?", "1.0", "2.0"), {"question": "Who?", "reply_to": "1.0", "of": "2.0"}),
    (DeleteTask("2.0"), {"of": "2.0"}),
    (
        NoticeTask("Who?", "1.0", "Not here."),
        {"question": "Who?", "reply_to": "1.0", "notice": "Not here."},
    ),
    (FeedbackTask(7, "1.t", URL, "1", "right"), BUTTON | {"verdict": "right"}),
    (SourceTask(7, "1.t", URL, "1"), BUTTON),
    (ShareTask(7, "1.t", URL, "1"), BUTTON),
]
"""Every kind of task with the JSON that all versions have stored for it."""


@pytest.mark.parametrize(("task", "payload"), STORED, ids=lambda value: type(value).__name__)
def test_a_task_has_the_json_of_earlier_versions(task: Task, payload: dict[str, Any]) -> None:
    assert json.dumps(payload_of(task)) == json.dumps(payload)
    assert task_of(task.kind, json.loads(json.dumps(payload))) == task


@pytest.mark.parametrize(
    ("payload", "task"),
    [
        ({"question": "Who?", "reply_to": "1.0"}, QuestionTask("Who?", "1.0")),
        ({"question": "Who?", "of": "2.0"}, EditTask("Who?", None, "2.0")),
        ({"notice": "Not here.", "reply_to": "1.0"}, NoticeTask("", "1.0", "Not here.")),
        (
            {"turn_id": 7, "verdict": "right", "response_url": URL},
            FeedbackTask(7, "", URL, None, "right"),
        ),
    ],
    ids=["question", "edit", "notice", "feedback"],
)
def test_keys_that_no_handler_needs_may_be_missing(payload: dict[str, Any], task: Task) -> None:
    assert task_of(task.kind, payload) == task


def test_a_question_edited_while_it_waits_has_the_json_of_an_edit() -> None:
    edited = payload_of(EditTask("When?", "1.0", "1.0"))

    assert task_of("question", edited) == QuestionTask("When?", "1.0")


def test_every_kind_belongs_to_one_lane() -> None:
    assert sorted((*BACKGROUND_KINDS, *BUTTON_KINDS)) == sorted({task.kind for task, _ in STORED})
