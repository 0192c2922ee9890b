"""What a checked request means, and the claim on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE, WRONG
from qa.interfaces.slack.mrkdwn import addressed, question_of
from qa.interfaces.slack.payloads import Command, Event, EventCallback, Interaction
from qa.settings import SlackSettings
from qa.state.message_queue import Message, MessageQueue

QUESTIONS = ("question", "command")
BACKGROUND = (*QUESTIONS, "edit", "delete", "notice")
"""What may take its time."""
PRESSED = ("feedback", "source", "share")
"""What somebody waits for who pressed a button."""
DIRECT = "dm"
"""Stands for direct messages in the list of channels."""
_MINUTE = 60.0
_TYPED = {None, "", "file_share", "thread_broadcast", "me_message"}
"""Subtypes of messages that people type."""
_BUTTONS = {RIGHT: "feedback", WRONG: "feedback", SOURCE: "source", SHARE: "share"}
_HELP = (
    "Ask me something about the documents, like: {command} What is our refund policy? With {command} --in TAG and a question I look at documents"
    " with that tag only; {command} documents lists documents and tags."
)
_NOT_HERE = "I do not answer in this channel: whoever runs me has not put it on the list (QUOTED_SLACK_CHANNELS)."
_TOO_MANY = "That is more than {rate} questions in a minute: please ask again in a minute."


class SlackEvents:
    """Claims what is to be done; a message that is claimed already, is of a bot or is not for us
    changes nothing.
    """

    def __init__(self, claims: MessageQueue, settings: SlackSettings) -> None:
        self._claims = claims
        self._settings = settings

    def event(self, body: Mapping[str, Any]) -> None:
        """An event of a message."""
        callback = EventCallback.model_validate(body)
        event = callback.event
        if not isinstance(event, Event) or event.bot_id:
            return
        bot = next((each.user_id for each in callback.authorizations if each.is_bot), None)
        if event.subtype == "message_changed":
            self._edited(callback, event, bot)
        elif event.subtype == "message_deleted":
            self._deleted(callback, event)
        elif (
            event.subtype in _TYPED
            and event.user
            and event.user != bot
            and self._is_for_us(callback.team_id, event, bot)
        ):
            self._asked(callback, event, event.user, bot)

    def command(self, body: Mapping[str, Any]) -> str | None:
        """A slash command; returns what to say at once, or None if the answer comes later."""
        command = Command.model_validate(body)
        question = question_of(command.text, None)
        if not question:
            return _HELP.format(command=command.command)
        refusal = self._refusal(
            command.team_id,
            command.channel_id,
            command.user_id,
            direct=command.channel_id.startswith("D"),
        )
        payload = {"question": question, "response_url": command.response_url}
        identity, thread = f"command:{command.trigger_id}", f"command:{command.user_id}"
        if not refusal:
            self._add(
                command.team_id,
                command.channel_id,
                identity,
                thread,
                command.user_id,
                "command",
                payload,
            )
        return refusal

    def interaction(self, body: Mapping[str, Any]) -> None:
        """Buttons that were pressed."""
        pressed = Interaction.model_validate(body)
        for action in pressed.actions:
            kind = _BUTTONS.get(action.action_id)
            if kind is None or not action.value.isdecimal() or len(action.value) > 18:
                continue
            payload = {
                "turn_id": int(action.value),
                "verdict": "right" if action.action_id == RIGHT else "wrong",
                "trigger_id": pressed.trigger_id,
                "response_url": pressed.response_url,
                "thread": pressed.container.thread_ts,
            }
            identity = (
                f"share:{action.value}" if kind == "share" else f"{kind}:{pressed.trigger_id}"
            )
            self._add(
                pressed.team.id,
                pressed.channel.id,
                identity,
                identity,
                pressed.user.id,
                kind,
                payload,
            )

    def _is_for_us(self, team: str, event: Event, bot: str | None) -> bool:
        """A mention, a direct message, or a message in a thread that we are in, unless it begins
        with somebody else's name.
        """
        mentioned = addressed(event.text or "")
        if event.type == "app_mention" or event.channel_type == "im" or (bot and bot in mentioned):
            return True
        others = bool(mentioned) and (event.text or "").lstrip().startswith("<@")
        return (
            bool(event.thread_ts)
            and not others
            and self._claims.knows_thread(team, event.channel, event.thread_ts or "")
        )

    def _asked(self, callback: EventCallback, event: Event, user: str, bot: str | None) -> None:
        direct = event.channel_type == "im"
        refusal = self._refusal(callback.team_id, event.channel, user, direct=direct)
        mentioned = addressed(event.text or "")
        name = bot or (mentioned[0] if mentioned and event.type == "app_mention" else None)
        reply_to = event.thread_ts or (None if direct else event.ts)
        payload = {
            "question": question_of(event.text or "", name),
            "reply_to": reply_to,
            "notice": refusal,
        }
        message = Message(
            callback.event_id,
            callback.team_id,
            event.channel,
            event.ts,
            reply_to or DIRECT,
            user,
            "notice" if refusal else "question",
            payload,
        )
        told = refusal is not None and bool(
            self._claims.count_sent(callback.team_id, user, ("notice",), _MINUTE)
        )
        self._claims.add(message, done=told)

    def _edited(self, callback: EventCallback, event: Event, bot: str | None) -> None:
        """A question that nobody works on yet is changed, one that has been answered is answered
        again.
        """
        new, old = event.message, event.previous_message
        if (
            new is None
            or new.bot_id
            or new.user is None
            or (old is not None and old.text == new.text)
        ):
            return
        claim = self._claims.find(callback.team_id, event.channel, new.ts)
        if claim is None or claim.message.kind != "question":
            return
        direct = event.channel_type == "im"
        reply_to = new.thread_ts or (None if direct else new.ts)
        payload = {"question": question_of(new.text, bot), "reply_to": reply_to, "of": new.ts}
        if not self._claims.revise(callback.team_id, event.channel, new.ts, payload):
            self._follow_up(callback, event, claim.message, "edit", payload)

    def _deleted(self, callback: EventCallback, event: Event) -> None:
        """A question that nobody works on yet is dropped, the answer to one is deleted."""
        claim = self._claims.find(callback.team_id, event.channel, event.deleted_ts or "")
        if claim is None or claim.message.kind != "question":
            return
        self._claims.cancel(callback.team_id, event.channel, claim.message.ts)
        self._follow_up(callback, event, claim.message, "delete", {"of": claim.message.ts})

    def _follow_up(
        self,
        callback: EventCallback,
        event: Event,
        of: Message,
        kind: str,
        payload: Mapping[str, Any],
    ) -> None:
        identity = f"{kind}:{event.ts}:{of.ts}"
        self._claims.add(
            Message(
                callback.event_id, of.team, of.channel, identity, of.thread, of.asker, kind, payload
            )
        )

    def _refusal(self, team: str, channel: str, user: str, *, direct: bool) -> str | None:
        allowed = self._settings.channels
        if allowed and (DIRECT if direct else channel) not in allowed:
            return _NOT_HERE
        if self._claims.count_sent(team, user, QUESTIONS, _MINUTE) >= self._settings.rate:
            return _TOO_MANY.format(rate=self._settings.rate)
        return None

    def _add(
        self,
        team: str,
        channel: str,
        identity: str,
        thread: str,
        user: str,
        kind: str,
        payload: Mapping[str, Any],
    ) -> None:
        self._claims.add(
            Message(
                f"{team}:{channel}:{identity}", team, channel, identity, thread, user, kind, payload
            )
        )
