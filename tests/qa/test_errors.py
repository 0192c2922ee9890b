"""The error tree of `qa` is as drawn, and every error has a status over HTTP."""

from __future__ import annotations

import builtins
import inspect
import json

import pytest

import index.errors
from qa import errors
from qa.interfaces.api.problems import problem_of

OURS = dict(inspect.getmembers(errors, inspect.isclass))
THEIRS = dict(inspect.getmembers(index.errors, inspect.isclass))
HIDDEN = [
    *(kind for kind in THEIRS.values() if kind is not index.errors.InvalidTag),
    errors.CalibrationError,
]
"""Their messages name paths of the machine."""


def test_the_drawing_shows_every_class() -> None:
    drawn = [
        line.lstrip(" │├└─").split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if line.startswith("    ")
    ]

    assert sorted(drawn) == sorted(OURS)


def test_all_hang_below_the_base_and_hide_no_builtin() -> None:
    assert all(
        kind.__base__ is errors.QAError for kind in OURS.values() if kind is not errors.QAError
    )
    assert not OURS.keys() & set(dir(builtins))


@pytest.mark.parametrize("kind", [*OURS.values(), *THEIRS.values()])
def test_every_error_becomes_a_problem(kind: type[Exception]) -> None:
    with_words = {
        errors.GapsOff: (),
        errors.QuestionCancelled: (),
        errors.Stopping: (),
        errors.TooBusy: (),
        errors.TooManyQuestions: (60, 5),
    }
    error = kind(*with_words.get(kind, ("what to do",)))
    response = problem_of(error)

    body = json.loads(bytes(response.body))
    assert response.media_type == "application/problem+json"
    assert body == {
        "type": "about:blank",
        "title": body["title"],
        "status": response.status_code,
        "detail": body["detail"],
    }
    assert (body["detail"] == str(error)) is (kind not in HIDDEN)
    assert response.status_code in {401, 403, 404, 409, 410, 413, 415, 422, 429, 499, 500, 503, 507}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidQuestion, 422),
        (errors.UnknownDocumentId, 404),
        (errors.NoIndex, 503),
        (errors.NotReady, 503),
        (index.errors.StoreBusy, 503),
    ],
)
def test_statuses(kind: type[Exception], status: int) -> None:
    response = problem_of(kind())

    assert response.status_code == status
    assert (response.headers.get("retry-after") == "1") is (status == 503)


def test_a_detail_that_is_no_unicode_still_becomes_json() -> None:
    assert (
        json.loads(bytes(problem_of(errors.QAError("file \udcff")).body))["detail"]
        == "file \\udcff"
    )
