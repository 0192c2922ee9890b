"""Slack's requests, turned into tasks in the message queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE, WRONG
from qa.interfaces.slack.mrkdwn import mentioned_users, question_of
from qa.interfaces.slack.payloads import (
    Action,
    ChangedMessage,
    Command,
    Event,
    EventCallback,
    Interaction,
)
from qa.interfaces.slack.tasks import (
    QUESTION_KINDS,
    ButtonTask,
    CommandTask,
    DeleteTask,
    EditTask,
    FeedbackTask,
    NoticeTask,
    QuestionTask,
    ShareTask,
    SourceTask,
    Task,
    Verdict,
    payload_of,
)
from qa.settings import SlackSettings
from qa.state.message_queue import Message, MessageQueue

DIRECT = "dm"
"""The name of direct messages in the list of channels, and the thread of those outside of one."""
_MINUTE = 60.0
_TYPED_SUBTYPES = {None, "", "file_share", "thread_broadcast", "me_message"}
"""Subtypes of messages that people type."""
_MAX_TURN_DIGITS = 18
"""Digits of the id of a turn: the most that always fit into SQLite's 64-bit integers."""
_HELP = (
    "Ask me about the documents, for example: {command} What is our refund policy? "
    "To search only documents with a tag: {command} --in TAG, then the question. "
    "To list documents and tags: {command} documents"
)
_NOT_HERE = (
    "I do not answer in this channel. "
    "To change that, ask whoever runs me to add it to QUOTED_SLACK_CHANNELS."
)
_TOO_MANY = "You may ask {rate} questions a minute. Please wait a minute, then ask again."


@dataclass(frozen=True, slots=True)
class _Received:
    """A message event with the delivery that brought it."""

    event_id: str
    team: str
    event: Event
    bot: str | None
    """User id of this app's bot, if the delivery names it."""

    @property
    def text(self) -> str:
        """The text of the message."""
        return self.event.text or ""

    @property
    def is_direct(self) -> bool:
        """True for a message that was sent to the bot directly."""
        return self.event.channel_type == "im"

    @property
    def addressee(self) -> str | None:
        """The user id by which the message calls the bot."""
        if self.bot:
            return self.bot
        mentioned = mentioned_users(self.text)
        # A delivery that does not name the bot: a mention event most likely begins with its name.
        return mentioned[0] if mentioned and self.event.type == "app_mention" else None

    def reply_to(self, ts: str, thread_ts: str | None) -> str | None:
        """Return the thread to answer a message of this channel in."""
        if thread_ts:
            return thread_ts
        return None if self.is_direct else ts


class SlackEvents:
    """Producer of the message queue.

    A message that is queued already, comes from a bot or is not meant for this app is ignored.
    """

    def __init__(self, queue: MessageQueue, settings: SlackSettings) -> None:
        self._queue = queue
        self._settings = settings

    def on_event(self, body: Mapping[str, Any]) -> None:
        """Queue the task of an event, if it has one for us."""
        callback = EventCallback.model_validate(body)
        event = callback.event
        if not isinstance(event, Event) or event.bot_id:
            return  # bots are not answered, so that two of them cannot talk for ever
        bot = next((each.user_id for each in callback.authorizations if each.is_bot), None)
        received = _Received(callback.event_id, callback.team_id, event, bot)
        if event.subtype == "message_changed":
            self._on_edit(received)
        elif event.subtype == "message_deleted":
            self._on_deletion(received)
        elif event.subtype in _TYPED_SUBTYPES and event.user and event.user != bot:
            self._on_message(received, event.user)

    def on_command(self, body: Mapping[str, Any]) -> str | None:
        """Queue the question of a slash command.

        Returns a text to show at once, or None if the answer comes later.
        """
        command = Command.model_validate(body)
        # The bot need not be mentioned in a command: a mention of it would be part of the question.
        question = question_of(command.text, None)
        if not question:
            return _HELP.format(command=command.command)
        refusal = self._refusal(
            command.team_id,
            command.channel_id,
            command.user_id,
            is_direct=command.channel_id.startswith("D"),
        )
        if refusal:
            return refusal
        self._add(
            team=command.team_id,
            channel=command.channel_id,
            ts=f"command:{command.trigger_id}",
            thread=f"command:{command.user_id}",
            asker=command.user_id,
            task=CommandTask(question, command.response_url),
        )
        return None

    def on_interaction(self, body: Mapping[str, Any]) -> None:
        """Queue a task for each pressed button of ours."""
        interaction = Interaction.model_validate(body)
        for action in interaction.actions:
            task = _button_task(interaction, action)
            if task is None:
                continue
            # An answer is shared once, however often and by whomever the button is pressed.
            pressed = action.value if isinstance(task, ShareTask) else interaction.trigger_id
            identity = f"{task.kind}:{pressed}"
            self._add(
                team=interaction.team.id,
                channel=interaction.channel.id,
                ts=identity,
                thread=identity,
                asker=interaction.user.id,
                task=task,
            )

    def _on_message(self, received: _Received, author: str) -> None:
        """Queue a question, or the notice that it is refused."""
        if not self._is_for_us(received):
            return
        event = received.event
        question = question_of(received.text, received.addressee)
        reply_to = received.reply_to(event.ts, event.thread_ts)
        refusal = self._refusal(received.team, event.channel, author, is_direct=received.is_direct)
        task: Task = QuestionTask(question, reply_to)
        already_noticed = False
        if refusal is not None:
            task = NoticeTask(question, reply_to, refusal)
            # One notice a minute is enough: further ones are recorded as done, and not shown.
            already_noticed = bool(
                self._queue.count_sent(received.team, author, (NoticeTask.kind,), _MINUTE)
            )
        self._add(
            team=received.team,
            channel=event.channel,
            ts=event.ts,
            thread=reply_to or DIRECT,
            asker=author,
            task=task,
            event_id=received.event_id,
            done=already_noticed,
        )

    def _is_for_us(self, received: _Received) -> bool:
        """Return True if a message is meant for this app.

        That is a mention, a direct message, or a message in a thread that the app takes part in,
        unless it begins with somebody else's name.
        """
        event = received.event
        mentioned = mentioned_users(received.text)
        mentions_us = event.type == "app_mention" or received.bot in mentioned
        if mentions_us or received.is_direct:
            return True
        calls_another = bool(mentioned) and received.text.lstrip().startswith("<@")
        if not event.thread_ts or calls_another:
            return False
        return self._queue.knows_thread(received.team, event.channel, event.thread_ts)

    def _on_edit(self, received: _Received) -> None:
        """Change a question that waits, or queue a new answer to one that does not.

        A message that has become a question by the edit is queued as one.
        """
        new, old = received.event.message, received.event.previous_message
        if new is None or new.bot_id or new.user is None or not _is_reworded(new, old):
            return
        question = self._question(received, new.ts)
        if question is None:
            self._on_new_mention(received, new, new.user)
            return
        task = EditTask(
            question_of(new.text, received.bot), received.reply_to(new.ts, new.thread_ts), new.ts
        )
        channel = received.event.channel
        # Fails if a worker has begun on the question.
        if not self._queue.revise(received.team, channel, new.ts, payload_of(task)):
            edited_at = new.edited.ts if new.edited else received.event.ts
            self._add_follow_up(received, question, task, edited_at)

    def _on_new_mention(self, received: _Received, new: ChangedMessage, author: str) -> None:
        """Queue a message that names the bot only since it was edited, in its own place."""
        if received.bot not in mentioned_users(new.text):
            return
        if self._queue.find(received.team, received.event.channel, new.ts) is not None:
            return  # it was refused, or is no question
        as_sent = {"user": author, "text": new.text, "ts": new.ts, "thread_ts": new.thread_ts}
        event = received.event.model_copy(update=as_sent)
        self._on_message(replace(received, event=event), author)

    def _on_deletion(self, received: _Received) -> None:
        """Drop a question that waits, and queue the deletion of its answer."""
        question = self._question(received, received.event.deleted_ts or "")
        if question is None:
            return
        # Both: the question may have been answered, or leased a moment ago.
        self._queue.cancel(received.team, received.event.channel, question.ts)
        self._add_follow_up(received, question, DeleteTask(question.ts), received.event.ts)

    def _question(self, received: _Received, ts: str) -> Message | None:
        """Return the question that was queued for a message of the same channel, if any."""
        queued = self._queue.find(received.team, received.event.channel, ts)
        if queued is None or queued.message.kind != QuestionTask.kind:
            return None
        return queued.message

    def _add_follow_up(
        self, received: _Received, question: Message, task: Task, changed_at: str
    ) -> None:
        """Queue a change of a question behind it, in the same thread.

        What was changed at one moment is queued once, however many events tell of it.
        """
        self._add(
            team=question.team,
            channel=question.channel,
            ts=f"{task.kind}:{changed_at}:{question.ts}",
            thread=question.thread,
            asker=question.asker,
            task=task,
            event_id=received.event_id,
        )

    def _refusal(self, team: str, channel: str, author: str, *, is_direct: bool) -> str | None:
        """Return why a person gets no answer in a channel now, or None."""
        allowed = self._settings.channels
        if allowed and (DIRECT if is_direct else channel) not in allowed:
            return _NOT_HERE
        asked = self._queue.count_sent(team, author, QUESTION_KINDS, _MINUTE)
        if asked >= self._settings.rate:
            return _TOO_MANY.format(rate=self._settings.rate)
        return None

    def _add(  # noqa: PLR0913 - the fields of a message, by name
        self,
        *,
        team: str,
        channel: str,
        ts: str,
        thread: str,
        asker: str,
        task: Task,
        event_id: str | None = None,
        done: bool = False,
    ) -> None:
        """Queue a task; only events have an id of Slack's, for others it is made of the message."""
        message = Message(
            event_id=f"{team}:{channel}:{ts}" if event_id is None else event_id,
            team=team,
            channel=channel,
            ts=ts,
            thread=thread,
            asker=asker,
            kind=task.kind,
            payload=payload_of(task),
        )
        self._queue.add(message, done=done)


def _is_reworded(new: ChangedMessage, old: ChangedMessage | None) -> bool:
    """Return True if a person has changed the words of a message.

    Link previews and replies change a message, too, sometimes without the one before.
    """
    return new.edited is not None if old is None else old.text != new.text


def _button_task(interaction: Interaction, action: Action) -> ButtonTask | None:
    """Return the task of a pressed button, or None if it is not one of ours."""
    if not action.value.isdecimal() or len(action.value) > _MAX_TURN_DIGITS:
        return None
    turn_id = int(action.value)
    trigger_id, response_url = interaction.trigger_id, interaction.response_url
    thread = interaction.container.thread_ts
    if action.action_id == SOURCE:
        return SourceTask(turn_id, trigger_id, response_url, thread)
    if action.action_id == SHARE:
        return ShareTask(turn_id, trigger_id, response_url, thread)
    if action.action_id in {RIGHT, WRONG}:
        verdict: Verdict = "right" if action.action_id == RIGHT else "wrong"
        return FeedbackTask(turn_id, trigger_id, response_url, thread, verdict)
    return None
