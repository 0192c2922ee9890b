"""Description of the interface in openapi.json, as far as FastAPI does not know it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from qa.interfaces.api.permissions import rule_of


def describe_open_routes(app: FastAPI) -> None:
    """Let openapi.json say which routes need no key, whatever the whole application needs."""
    described: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        # FastAPI makes it once, and returns the same object each time.
        description = described()
        for path, operations in description.get("paths", {}).items():
            for method, operation in operations.items():
                if rule_of(method.upper(), path).permission == "open":
                    operation["security"] = []
        return description

    app.openapi = openapi  # type: ignore[method-assign]
