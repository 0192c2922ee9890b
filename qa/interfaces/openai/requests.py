"""Requests in the form of OpenAI's API; what cannot be honoured is refused by name.

Settings of sampling and of length have no meaning for a quote and are ignored.
"""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.interfaces.openai.errors import BadRequest

MAX_INPUTS = 2048
"""Texts of one request for embeddings, as at OpenAI."""
_MAX_MESSAGES = 2_000


class _Lenient(BaseModel):
    """Body of a request; fields without a meaning here are ignored."""

    model_config = ConfigDict(extra="ignore")


class Part(_Lenient):
    """Part of a message's content."""

    type: str
    text: str | None = None


class Message(_Lenient):
    """Message of a conversation."""

    role: str
    content: str | list[Part] | None = None


class StreamOptions(_Lenient):
    """Options of a streamed response."""

    include_usage: bool = False


class ChatRequest(_Lenient):
    """Body of POST /v1/chat/completions."""

    model: str
    messages: list[Message] = Field(min_length=1, max_length=_MAX_MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    functions: list[Any] | None = None
    response_format: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    logprobs: bool | None = None


class EmbeddingRequest(_Lenient):
    """Body of POST /v1/embeddings."""

    model: str
    input: str | list[str] = Field(min_length=1)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


Body = TypeVar("Body", bound=_Lenient)


def parsed(kind: type[Body], content: bytes) -> Body:
    """Return the body of a request. Raises BadRequest, which names the first wrong field."""
    try:
        return kind.model_validate(json.loads(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{place}: {first['msg']}", place or None) from error
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body of the request is no JSON object") from error


def refuse_unsupported(request: ChatRequest) -> None:
    """Raise BadRequest for a setting that would change the kind of the response."""
    unsupported = {
        "n": request.n not in {None, 1},
        "logprobs": bool(request.logprobs),
        "audio": request.audio is not None,
        "tool_choice": _wants_tool(request.tool_choice),
        "response_format": _wants_form(request.response_format),
    }
    for name, is_wanted in unsupported.items():
        if is_wanted:
            raise BadRequest(
                f"{name} is not supported: an answer is one text of quotes with their sources",
                name,
                "unsupported_parameter",
            )


def _wants_tool(choice: object) -> bool:
    """Return True if a tool must be called; tools that may be called are ignored."""
    return choice not in {None, "auto", "none"} if isinstance(choice, str | None) else True


def _wants_form(response_format: dict[str, Any] | None) -> bool:
    return response_format is not None and response_format.get("type") != "text"
