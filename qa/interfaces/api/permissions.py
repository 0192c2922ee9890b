"""Permission that each route needs. A route that is not listed needs that of an admin.

The questions among them cost computing time, and are counted against the rate of a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.access.principal import Permission


@dataclass(frozen=True, slots=True)
class Rule:
    """Permission that a route needs, and whether it asks a question."""

    permission: Permission
    is_question: bool = False


_OPEN, _READ, _WRITE, _ADMIN = Rule("open"), Rule("read"), Rule("write"), Rule("admin")
_QUESTION, _METRICS = Rule("read", is_question=True), Rule("metrics")
_MANY_QUESTIONS = Rule("write", is_question=True)

RULES: dict[str, Rule] = {
    # The page itself tells nothing: its scripts are in every copy of the program.
    "GET /": _OPEN,
    "GET /login": _OPEN,
    "GET /gaps": _OPEN,
    "GET /read/{document_id}": _OPEN,
    "GET /static/{name}": _OPEN,
    "GET /healthz": _OPEN,
    "GET /readyz": _OPEN,
    # Signing in and out.
    "POST /session": _OPEN,
    "DELETE /session": _OPEN,
    # These check a signature or a token, and read what their channel may.
    "POST /slack/events": _OPEN,
    "POST /slack/commands": _OPEN,
    "POST /slack/interactions": _OPEN,
    "POST /webhooks/slash": _OPEN,
    "POST /webhooks/teams": _OPEN,
    "GET /session": _READ,
    "GET /openapi.json": _READ,
    "HEAD /openapi.json": _READ,
    "POST /ask": _QUESTION,
    "GET /search": _QUESTION,
    "POST /v1/chat/completions": _QUESTION,
    "POST /v1/embeddings": _QUESTION,
    # Not every request of MCP asks a question: those that do are counted by its tools.
    "POST /mcp": _READ,
    "GET /v1/models": _READ,
    "GET /v1/models/{name}": _READ,
    "GET /examples": _READ,
    "GET /sample": _READ,
    "POST /verify": _READ,
    "GET /documents": _READ,
    "GET /documents/{document_id}": _READ,
    "GET /documents/{document_id}/versions/{prefix}": _READ,
    "GET /documents/{document_id}/pages/{page}": _READ,
    "GET /documents/{document_id}/pages/{page}.png": _READ,
    "GET /tags": _READ,
    "GET /status": _READ,
    "POST /conversations": _READ,
    "GET /conversations": _READ,
    "GET /conversations/{conversation_id}": _READ,
    "DELETE /conversations/{conversation_id}": _READ,
    "POST /feedback": _READ,
    "GET /feedback": _READ,
    "POST /documents": _WRITE,
    "PUT /documents/{document_id}": _WRITE,
    "PUT /documents/{document_id}/tags": _WRITE,
    "DELETE /documents/{document_id}": _WRITE,
    "GET /jobs/{job_id}": _WRITE,
    "GET /metrics": _METRICS,
    # Questions of others, of those who may read no more than the asker does.
    "GET /gaps.json": _MANY_QUESTIONS,
    "GET /gaps.csv": _MANY_QUESTIONS,
    "GET /audit": _ADMIN,
}
"""Rule of each method and path, as OpenAPI writes it."""


def _pattern(route: str) -> str:
    """Return the regular expression of a route, whose parameters match one segment each."""
    parts = re.split(r"\{\w+\}", route)
    return "[^/]+".join(re.escape(part) for part in parts)


_PATTERNS = [(re.compile(_pattern(route)), rule) for route, rule in RULES.items()]


def rule_of(method: str, path: str) -> Rule:
    """Return the rule of a request."""
    asked = f"{method} {path}"
    return next((rule for pattern, rule in _PATTERNS if pattern.fullmatch(asked)), _ADMIN)


def methods_of(path: str) -> list[str]:
    """Return the methods that a path takes, sorted."""
    methods = {route.partition(" ")[0] for route in RULES}
    return sorted(
        method
        for method in methods
        if any(pattern.fullmatch(f"{method} {path}") for pattern, _ in _PATTERNS)
    )
