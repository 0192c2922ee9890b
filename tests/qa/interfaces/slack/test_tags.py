"""Slack with tags: requested, inherited in a thread, limited by the channel, after a crash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from qa.interfaces.slack.blocks import SOURCE
from qa.library.documents import index_paths
from qa.state.database import State
from qa.state.message_queue import Message
from tests.qa.interfaces.slack.test_worker import Desk
from tests.support.block_kit import texts
from tests.support.fakes import RecordingReporter
from tests.support.serving import Command, Server, carded, write_files
from tests.support.slack_asking import answer_to, form, say, turn_of, until
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import TEAM, command, event, mention, pressed

QUESTION = "Where is the bread baked?"
LIMITS = {"C5": ("blue",), "C6": ("nobody", "red"), "dm": ("red",)}
numbers = count(1)


class TaggedDesk(Desk):
    """A bot's worker over a red and a blue document that answer the same question.

    The channels in `LIMITS` are limited to tags.
    """

    def __init__(self, folder: Path, double: SlackDouble) -> None:
        super().__init__(folder, double, tags=LIMITS)
        for tag in ("red", "blue"):
            write_files(folder / tag, {f"{tag}.txt": f"The bread is baked in the {tag} oven."})
            index_paths(self.settings, carded(), [folder / tag], RecordingReporter(), tags=[tag])

    def ask(
        self,
        text: str,
        *,
        channel: str = "C1",
        thread: str | None = None,
        kind: str = "question",
        **more: Any,
    ) -> str:
        """Queue a question and have it answered; return its ts."""
        ts = f"{next(numbers)}.0"
        direct = channel.startswith("D")
        payload = {"question": text, "reply_to": thread or (None if direct else ts)} | more
        self.queue.add(
            Message(
                f"Ev{ts}",
                TEAM,
                channel,
                ts,
                thread or ("dm" if direct else ts),
                "U1",
                kind,
                payload,
            )
        )
        self.work(
            lambda: (
                not State(self.settings.data).query("SELECT 1 FROM claims WHERE state != 'done'")
            )
        )
        return ts

    def reply(self, text: str, **more: Any) -> str:
        """Return the text that answers a question."""
        ts = self.ask(text, **more)
        return str(self.double.answers()[f"{TEAM}:{more.get('channel', 'C1')}:{ts}"][0]["text"])


@pytest.fixture(name="tagged")
def tagged_desk(tmp_path: Path) -> Iterator[TaggedDesk]:
    with SlackDouble() as double:
        yield TaggedDesk(tmp_path, double)
        assert double.faults == []


def test_a_question_searches_within_its_tags_and_the_answer_names_them(tagged: TaggedDesk) -> None:
    answer = tagged.reply(f"--in red {QUESTION}")
    assert "red oven" in answer
    assert "blue oven" not in answer
    assert answer.startswith("In red\n")
    assert "In blue, red\n" in tagged.reply(f"—in red —in BLUE {QUESTION}")
    assert not tagged.reply(QUESTION).startswith("In ")


def test_an_unknown_tag_gets_the_known_ones_and_in_alone_gets_the_usage(
    tagged: TaggedDesk,
) -> None:
    assert (
        tagged.reply(f"--in green {QUESTION}")
        == "I cannot answer that: no document has the tag 'green': the tags are blue, red."
    )
    assert "expected --in TAG and a question, like --in harbour How deep is it?" in tagged.reply(
        "--in"
    )


def test_a_thread_keeps_the_tags_last_used_in_it(tagged: TaggedDesk) -> None:
    thread = tagged.ask(f"--in red {QUESTION}")
    assert "red oven" in tagged.reply(QUESTION, thread=thread)
    assert "blue oven" in tagged.reply(f"--in blue {QUESTION}", thread=thread)
    assert tagged.reply(QUESTION, thread=thread).startswith("In blue\n")
    other = tagged.ask(QUESTION)
    assert not tagged.reply(QUESTION, thread=other).startswith("In ")


def test_an_edit_has_its_own_tags_not_those_of_the_old_wording(
    tagged: TaggedDesk,
) -> None:
    thread = tagged.ask(f"--in red {QUESTION}")
    for text, beginning in ((f"--in blue {QUESTION}", "In blue\n"), (QUESTION, "*")):
        tagged.ask(text, kind="edit", thread=thread, of=thread)
        [changed] = tagged.double.answers()[f"{TEAM}:C1:{thread}"]
        assert changed["text"].startswith(beginning)


def test_a_question_edited_before_its_answer_keeps_the_tags_of_its_thread(
    tagged: TaggedDesk,
) -> None:
    thread = tagged.ask(f"--in red {QUESTION}")
    ts = f"{next(numbers)}.0"
    payload = {"question": "Where is the bred baked?", "reply_to": thread}
    tagged.queue.add(Message(f"Ev{ts}", TEAM, "C1", ts, thread, "U1", "question", payload))
    edited = {"question": QUESTION, "reply_to": thread, "of": ts}
    assert tagged.queue.revise(TEAM, "C1", ts, edited)
    tagged.work(lambda: f"{TEAM}:C1:{ts}" in tagged.double.answers())

    [answer] = tagged.double.answers()[f"{TEAM}:C1:{ts}"]
    assert answer["text"].startswith("In red\n")


def test_a_limited_channel_searches_its_tags_only(tagged: TaggedDesk) -> None:
    thread = tagged.ask(QUESTION, channel="C5")
    answer = json.dumps(tagged.double.answers()[f"{TEAM}:C5:{thread}"])
    assert "blue oven" in answer
    assert "red" not in answer.replace("shared", "")
    refused = tagged.reply(f"--in red {QUESTION}", channel="C5")
    assert refused == (
        "I cannot answer that: got the tag 'red', but this channel is limited to blue."
    )
    assert "the tags are red." in tagged.reply(f"--in nobody {QUESTION}", channel="C6")
    assert tagged.reply(QUESTION, channel="C6").startswith("In red\n")
    listed = tagged.reply("documents", channel="C5")
    assert listed.startswith("1 document in blue\n")
    assert "red" not in listed
    nearest = tagged.double.answers()[
        f"{TEAM}:C5:{tagged.ask('Who wrote the letter of 1754?', channel='C5')}"
    ]
    assert "red" not in json.dumps(nearest).replace("shared", "")


def test_direct_messages_inherit_no_tags_and_have_their_own_limit(
    tagged: TaggedDesk,
) -> None:
    assert tagged.reply(QUESTION, channel="D1").startswith("In red\n")
    assert "this channel is limited to red" in tagged.reply(f"--in blue {QUESTION}", channel="D1")


def test_a_thread_from_before_a_channel_was_limited_is_limited_too(tagged: TaggedDesk) -> None:
    thread = tagged.ask(f"--in red {QUESTION}", channel="C7")
    tagged.settings = replace(
        tagged.settings, slack=replace(tagged.settings.slack, tags={"C7": ("blue",)})
    )
    assert tagged.reply(QUESTION, channel="C7", thread=thread).startswith("In blue\n")


def test_questions_left_by_a_dead_worker_keep_their_tags_and_limits(
    tagged: TaggedDesk,
) -> None:
    for number, (channel, text) in enumerate(
        {"C1": f"--in red {QUESTION}", "C5": QUESTION}.items()
    ):
        ts = f"{number}.5"
        tagged.queue.add(
            Message(
                f"Ev{ts}",
                TEAM,
                channel,
                ts,
                ts,
                "U1",
                "question",
                {"question": text, "reply_to": ts},
            )
        )
        assert tagged.queue.lease("dead", ["question"])
    tagged.queue.release("dead")
    tagged.work(lambda: len(tagged.double.answers()) == 2)

    answer = [
        each["text"].partition("\n")[0] for _, [each] in sorted(tagged.double.answers().items())
    ]
    assert answer == ["In red", "In blue"]


def test_documents_and_tags_are_listed(tagged: TaggedDesk) -> None:
    listed = tagged.reply("documents")
    assert listed.startswith("3 documents\n")
    assert listed.endswith("Tags: blue (1), red (1)")
    assert tagged.reply("documents red").splitlines()[0] == "1 document in red"
    assert "the tags are blue, red" in tagged.reply("documents --in green")


TEXTS = {
    "harbour": "The harbour basin is 12 metres deep.",
    "board": "The board meets in room nine on Mondays.",
}


@pytest.fixture(scope="module", name="served")
def tagged_server(
    converted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, SlackDouble, Command]]:
    """Yield a server over a document of each tag, where C900 is limited to the harbour."""
    folder = tmp_path_factory.mktemp("tagged")
    with SlackDouble() as double:
        settings = double.environment | {
            "QUOTED_SLACK_TAGS": "C900=harbour,empty",
            "QUOTED_MIN_CONFIDENCE": "0",
        }
        cli = Command(folder / "data", converted, settings)
        for tag, text in TEXTS.items():
            write_files(folder / tag, {f"{tag}.txt": text})
            assert cli("index", "--tag", tag, str(folder / tag)).returncode == 0
        with Server(cli) as server:
            yield server.ready(), double, cli
            assert "Traceback" not in server.log
        assert double.faults == []


@pytest.mark.slow
def test_end_to_end_a_mention_its_thread_a_command_and_a_limited_channel(
    served: tuple[Server, SlackDouble, Command],
) -> None:
    server, double, _ = served
    ts = say(server, mention("—in harbour How deep is the basin?", channel="C1"))
    first = answer_to(double, "C1", ts)
    second = say(
        server,
        event(
            "message",
            "Where does the board meet?",
            channel="C1",
            thread_ts=ts,
            channel_type="channel",
        ),
    )
    follow_up = answer_to(double, "C1", second)
    assert "In harbour" in texts(first["blocks"])
    assert "In harbour" in texts(follow_up["blocks"])
    assert "room nine" not in json.dumps(follow_up)

    before = len(double.responses)
    form(server, "commands", command(double, "--in pier How deep?", channel_id="C1"))
    answer = until(lambda: double.responses[before:])[0]
    assert answer["response_type"] == "ephemeral"
    assert "no document has the tag 'pier': the tags are board, harbour" in answer["text"]
    form(server, "commands", command(double, "documents", channel_id="C1"))
    listed = until(lambda: double.responses[before + 1 :])[0]
    assert "2 documents" in texts(listed["blocks"])

    limited = answer_to(
        double, "C900", say(server, mention("Where does the board meet?", channel="C900"))
    )
    assert "In harbour" in texts(limited["blocks"])
    form(server, "interactions", pressed(double, SOURCE, turn_of(limited), channel="C900"))
    view = until(lambda: double.views)[-1]
    assert "room nine" not in json.dumps([limited, view])
    refused = answer_to(
        double,
        "C900",
        say(server, mention("--in board Where does the board meet?", channel="C900")),
    )
    assert "got the tag 'board', but this channel is limited to empty, harbour" in refused["text"]


@pytest.mark.slow
def test_the_check_names_the_tags_of_channels_and_unused_ones(
    served: tuple[Server, SlackDouble, Command],
) -> None:
    _, _, cli = served
    done = cli("slack", "check")

    assert done.returncode == 0
    assert (
        "note     QUOTED_SLACK_TAGS: C900 is limited to empty, harbour; "
        "every other channel may search all documents; no document has the tag empty"
    ) in done.stdout
    wrong = cli.on(cli.data, QUOTED_SLACK_TAGS="general")("serve", "--port", "0")
    assert wrong.returncode == 1
    assert "QUOTED_SLACK_TAGS: expected channels" in wrong.stderr
