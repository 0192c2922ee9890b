"""Slack's requests as typed data, validated before anything else sees them.

Only the fields that are used are kept. Sources: "Events API", "Slash commands" and "Interactivity",
docs.slack.dev.
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

# Malformed requests end here, with status 400, before anything is stored.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{0,128}$")]
Timestamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,16}\.[0-9]{1,9}$")]
Text = Annotated[str, StringConstraints(max_length=100_000)]
EventType = Literal["app_mention", "message"]
"""Types of event that the app asks for."""
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
"""Fields of a form; a command has about fifteen."""


class _Payload(BaseModel):
    """Base of all payloads: no value is converted, unknown fields are left out."""

    model_config = ConfigDict(strict=True, extra="ignore")


def _check_other_type(name: str) -> str:
    """Reject an event that is malformed: `Event | OtherEvent` must not take it for another one."""
    if name in get_args(EventType):
        raise ValueError("a field of this event is missing or invalid")
    return name


class Edited(_Payload):
    """The last edit of a message by a person."""

    ts: Timestamp


class ChangedMessage(_Payload):
    """A message before or after an edit, within the event of the edit.

    Slack sends that event for link previews and replies as well; `edited` is of people alone
    (api.slack.com/events/message/message_changed).
    """

    text: Text = ""
    ts: Timestamp
    thread_ts: Timestamp | None = None
    user: Id | None = None
    bot_id: Id | None = None
    edited: Edited | None = None


class Event(_Payload):
    """A mention of the app, or a new, edited or deleted message."""

    type: EventType
    subtype: Id | None = None
    channel: Id
    channel_type: Id | None = None
    user: Id | None = None
    bot_id: Id | None = None
    text: Text | None = None
    ts: Timestamp
    thread_ts: Timestamp | None = None
    message: ChangedMessage | None = None
    previous_message: ChangedMessage | None = None
    deleted_ts: Timestamp | None = None


class OtherEvent(_Payload):
    """An event that the app has no use for; only its type is validated."""

    type: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9_.]{1,64}$"), AfterValidator(_check_other_type)
    ]


class Authorization(_Payload):
    """An installation of the app that receives an event."""

    user_id: Id | None = None
    team_id: Id | None = None
    is_bot: bool = False


class EventCallback(_Payload):
    """The delivery of an event, with its id."""

    type: Literal["event_callback"]
    team_id: Id
    event_id: Id
    event: Event | OtherEvent
    authorizations: list[Authorization] = []


class UrlVerification(_Payload):
    """The challenge by which Slack verifies the address of events."""

    type: Literal["url_verification"]
    challenge: Annotated[str, StringConstraints(max_length=10_000)]


class RateLimited(_Payload):
    """The news that Slack holds back events because there are too many."""

    type: Literal["app_rate_limited"]


class Command(_Payload):
    """A slash command."""

    command: Annotated[str, StringConstraints(pattern=r"^/\S{1,63}$")]
    text: Text = ""
    team_id: Id
    channel_id: Id
    user_id: Id
    trigger_id: Id
    response_url: Annotated[str, StringConstraints(max_length=2000)]


class SslCheck(_Payload):
    """A request by which Slack tests the certificate."""

    # Sent to the address of commands.
    ssl_check: Literal["1"]


class Reference(_Payload):
    """The id of a user, a team or a channel."""

    id: Id


class Action(_Payload):
    """A pressed button."""

    type: Literal["button"]
    action_id: Id
    block_id: Annotated[str, StringConstraints(max_length=255)] = ""
    value: Annotated[str, StringConstraints(max_length=2000)] = ""


class Container(_Payload):
    """The message that holds the pressed button."""

    message_ts: Timestamp | None = None
    thread_ts: Timestamp | None = None


class Interaction(_Payload):
    """A press of one or more buttons."""

    type: Literal["block_actions"]
    user: Reference
    team: Reference
    channel: Reference
    trigger_id: Id
    container: Container = Container()
    response_url: Annotated[str, StringConstraints(max_length=2000)] = ""
    actions: Annotated[list[Action], Field(min_length=1, max_length=25)]


_EVENT: TypeAdapter[EventCallback | UrlVerification | RateLimited] = TypeAdapter(
    Annotated[EventCallback | UrlVerification | RateLimited, Field(discriminator="type")]
)
_COMMAND: TypeAdapter[Command | SslCheck] = TypeAdapter(Command | SslCheck)


def validated_body(path: str, content_type: str, body: bytes) -> bytes:
    """Return the body of a request to one of Slack's paths, rebuilt from its validated fields.

    It is empty if nothing is to be done. Raises ValueError, which says what was expected, for a
    request that Slack does not send.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    expected = JSON if path == EVENTS else FORM
    if media_type != expected:
        raise ValueError(f"expected content type {expected}, got {media_type or 'none'!r}")
    try:
        return _VALIDATORS[path](body)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _validate_event(body: bytes) -> bytes:
    event = _EVENT.validate_json(body)
    if isinstance(event, RateLimited):
        return b""
    return event.model_dump_json(exclude_none=True).encode()


def _validate_command(body: bytes) -> bytes:
    return urlencode(_COMMAND.validate_python(_form_fields(body)).model_dump()).encode()


def _validate_interaction(body: bytes) -> bytes:
    # The form has one field, which holds JSON.
    interaction = Interaction.model_validate_json(_form_fields(body).get("payload", ""))
    return urlencode({"payload": interaction.model_dump_json(exclude_none=True)}).encode()


def _form_fields(body: bytes) -> dict[str, str]:
    text = body.decode("ascii")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))


_VALIDATORS = {
    EVENTS: _validate_event,
    COMMANDS: _validate_command,
    INTERACTIONS: _validate_interaction,
}
