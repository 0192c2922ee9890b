"""Errors in the form of OpenAI's API: {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from qa.errors import QAError
from qa.interfaces.api.problems import problem_of
from qa.interfaces.api.schemas import PROBLEMS

_TYPES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}
"""Types of errors by their status; all others are of the request or of the server."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": problem["description"]} for status, problem in PROBLEMS.items()
}
"""Errors that every route may return, as OpenAPI responses."""


class BadRequest(QAError):
    """Request that this API cannot answer; `param` is the field, `code` a short name."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status


def error_response(error: Exception) -> JSONResponse:
    """Return the response to an error of ours, with the status that other doors give it."""
    if isinstance(error, BadRequest):
        return _response(error.status, str(error), error.param, error.code)
    problem = problem_of(error)
    details = json.loads(bytes(problem.body))
    kept = ("retry-after", "www-authenticate")
    headers = {name: problem.headers[name] for name in kept if name in problem.headers}
    return _response(problem.status_code, details["detail"], None, details["title"], headers)


def _response(
    status: int,
    message: str,
    param: str | None,
    code: str | None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = _TYPES.get(status, "server_error" if is_ours else "invalid_request_error")
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, dict(headers or {}))
