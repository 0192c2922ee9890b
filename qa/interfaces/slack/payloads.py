"""What Slack sends, as far as it is used: checked before anything else sees it. Unknown fields are
left out.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args
from urllib.parse import parse_qsl, urlencode

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{0,128}$")]
Timestamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}\.[0-9]{1,9}$")]
Text = Annotated[str, StringConstraints(max_length=100_000)]
Asking = Literal["app_mention", "message"]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
"""Fields of a form; a command has about fifteen."""


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


def _other(name: str) -> str:
    if name in get_args(Asking):
        raise ValueError("this event lacks something, or has something wrong")
    return name


class Words(_Checked):
    """A message within an event about it."""

    text: Text = ""
    ts: Timestamp
    thread_ts: Timestamp | None = None
    user: Id | None = None
    bot_id: Id | None = None


class Event(_Checked):
    """`app_mention` or `message`, or another event, of which only the type is looked at."""

    type: Asking
    subtype: Id | None = None
    channel: Id
    channel_type: Id | None = None
    user: Id | None = None
    bot_id: Id | None = None
    text: Text | None = None
    ts: Timestamp
    thread_ts: Timestamp | None = None
    message: Words | None = None
    previous_message: Words | None = None
    deleted_ts: Timestamp | None = None


class OtherEvent(_Checked):
    """An event that was not asked for."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,64}$"), AfterValidator(_other)]


class Authorization(_Checked):
    """Whom an event is for."""

    user_id: Id | None = None
    team_id: Id | None = None
    is_bot: bool = False


class EventCallback(_Checked):
    """An event with its id."""

    type: Literal["event_callback"]
    team_id: Id
    event_id: Id
    event: Event | OtherEvent
    authorizations: list[Authorization] = []


class UrlVerification(_Checked):
    """The question whether this is the endpoint."""

    type: Literal["url_verification"]
    challenge: Annotated[str, StringConstraints(max_length=10_000)]


class Limited(_Checked):
    """Slack holds back events because there are too many."""

    type: Literal["app_rate_limited"]


class Command(_Checked):
    """A slash command."""

    command: Annotated[str, StringConstraints(pattern=r"^/\S{1,63}$")]
    text: Text = ""
    team_id: Id
    channel_id: Id
    user_id: Id
    trigger_id: Id
    response_url: Annotated[str, StringConstraints(max_length=2000)]


class SslCheck(_Checked):
    """Slack looks whether the certificate is good."""

    ssl_check: Literal["1"]


class Named(_Checked):
    """A user, a team or a channel."""

    id: Id


class Action(_Checked):
    """A button that was pressed."""

    type: Literal["button"]
    action_id: Id
    block_id: Annotated[str, StringConstraints(max_length=255)] = ""
    value: Annotated[str, StringConstraints(max_length=2000)] = ""


class Container(_Checked):
    """Where the button is."""

    message_ts: Timestamp | None = None
    thread_ts: Timestamp | None = None


class Interaction(_Checked):
    """Buttons that were pressed."""

    type: Literal["block_actions"]
    user: Named
    team: Named
    channel: Named
    trigger_id: Id
    container: Container = Container()
    response_url: Annotated[str, StringConstraints(max_length=2000)] = ""
    actions: Annotated[list[Action], Field(min_length=1, max_length=25)]


_EVENT: TypeAdapter[EventCallback | UrlVerification | Limited] = TypeAdapter(
    Annotated[EventCallback | UrlVerification | Limited, Field(discriminator="type")]
)
_COMMAND: TypeAdapter[Command | SslCheck] = TypeAdapter(Command | SslCheck)


def checked(path: str, content_type: str, body: bytes) -> bytes:
    """The body of a request to one of the paths, made anew of what was checked; empty where there
    is nothing to do.

    Raises ValueError, with what was expected, for one that Slack does not send.
    """
    kind = content_type.partition(";")[0].strip().lower()
    expected = JSON if path == EVENTS else FORM
    if kind != expected:
        raise ValueError(f"expected content type {expected}, got {kind or 'none'!r}")
    try:
        return _READERS[path](body)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _event(body: bytes) -> bytes:
    found = _EVENT.validate_json(body)
    return b"" if isinstance(found, Limited) else found.model_dump_json(exclude_none=True).encode()


def _command(body: bytes) -> bytes:
    return urlencode(_COMMAND.validate_python(_fields(body)).model_dump()).encode()


def _interaction(body: bytes) -> bytes:
    found = Interaction.model_validate_json(_fields(body).get("payload", ""))
    return urlencode({"payload": found.model_dump_json(exclude_none=True)}).encode()


def _fields(body: bytes) -> dict[str, str]:
    return dict(
        parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    )


_READERS = {EVENTS: _event, COMMANDS: _command, INTERACTIONS: _interaction}
