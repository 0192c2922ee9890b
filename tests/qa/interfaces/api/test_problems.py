"""Tests of error responses: some messages must stay in the log."""

from __future__ import annotations

import json

import pytest

from index.errors import ModelError
from qa.errors import CalibrationError, InvalidQuestion
from qa.interfaces.api.problems import problem_of


@pytest.mark.parametrize(
    "error",
    [
        CalibrationError("/home/ann/data/calibration.json is no calibration"),
        ModelError("/home/ann/m"),
    ],
)
def test_paths_of_the_server_stay_in_its_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    response = problem_of(error)

    assert (response.status_code, response.media_type) == (500, "application/problem+json")
    assert b"/home" not in bytes(response.body)
    assert "/home/ann" in caplog.text


def test_errors_of_the_request_are_explained() -> None:
    body = json.loads(bytes(problem_of(InvalidQuestion("the question is empty")).body))

    assert (body["status"], body["detail"]) == (422, "the question is empty")
