"""Slack within tags: given, kept in a thread, limited by the channel, after a crash, and end to
end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from qa.interfaces.slack.blocks import SOURCE
from qa.library.library import index_paths
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
    """A bot's worker over a red and a blue document that answer the same question; some channels
    are limited.
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
        """Claim a question and see it done; returns its ts."""
        ts = f"{next(numbers)}.0"
        direct = channel.startswith("D")
        payload = {"question": text, "reply_to": thread or (None if direct else ts)} | more
        self.claims.add(
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

    def said(self, text: str, **more: Any) -> str:
        """The text that answers a question."""
        ts = self.ask(text, **more)
        return str(self.double.answers()[f"{TEAM}:{more.get('channel', 'C1')}:{ts}"][0]["text"])


@pytest.fixture(name="tagged")
def tagged_desk(tmp_path: Path) -> Iterator[TaggedDesk]:
    with SlackDouble() as double:
        yield TaggedDesk(tmp_path, double)
        assert double.faults == []


def test_a_question_is_asked_within_its_tags_and_says_so(tagged: TaggedDesk) -> None:
    said = tagged.said(f"--in red {QUESTION}")
    assert "red oven" in said
    assert "blue oven" not in said
    assert said.startswith("In red\n")
    assert "In blue, red\n" in tagged.said(f"—in red —in BLUE {QUESTION}")
    assert not tagged.said(QUESTION).startswith("In ")


def test_a_tag_that_no_document_has_is_told_with_those_that_there_are_and_in_alone_says_how(
    tagged: TaggedDesk,
) -> None:
    assert (
        tagged.said(f"--in green {QUESTION}")
        == "I cannot answer that: no document has the tag 'green': the tags are blue, red."
    )
    assert "expected --in TAG and a question, like --in harbour How deep is it?" in tagged.said(
        "--in"
    )


def test_a_thread_keeps_the_tags_that_were_last_given_in_it(tagged: TaggedDesk) -> None:
    thread = tagged.ask(f"--in red {QUESTION}")
    assert "red oven" in tagged.said(QUESTION, thread=thread)
    assert "blue oven" in tagged.said(f"--in blue {QUESTION}", thread=thread)
    assert tagged.said(QUESTION, thread=thread).startswith("In blue\n")
    other = tagged.ask(QUESTION)
    assert not tagged.said(QUESTION, thread=other).startswith("In ")


def test_an_edit_has_the_tags_that_it_says_not_those_of_the_question_as_it_was(
    tagged: TaggedDesk,
) -> None:
    thread = tagged.ask(f"--in red {QUESTION}")
    for text, beginning in ((f"--in blue {QUESTION}", "In blue\n"), (QUESTION, "*")):
        tagged.ask(text, kind="edit", thread=thread, of=thread)
        [changed] = tagged.double.answers()[f"{TEAM}:C1:{thread}"]
        assert changed["text"].startswith(beginning)


def test_a_limited_channel_finds_only_what_has_its_tags(tagged: TaggedDesk) -> None:
    thread = tagged.ask(QUESTION, channel="C5")
    said = json.dumps(tagged.double.answers()[f"{TEAM}:C5:{thread}"])
    assert "blue oven" in said
    assert "red" not in said.replace("shared", "")
    refused = tagged.said(f"--in red {QUESTION}", channel="C5")
    assert refused == "I cannot answer that: this channel is asked within blue only, got 'red'."
    assert "the tags are red." in tagged.said(f"--in nobody {QUESTION}", channel="C6")
    assert tagged.said(QUESTION, channel="C6").startswith("In red\n")
    listed = tagged.said("documents", channel="C5")
    assert listed.startswith("1 document in blue\n")
    assert "red" not in listed
    nearest = tagged.double.answers()[
        f"{TEAM}:C5:{tagged.ask('Who wrote the letter of 1754?', channel='C5')}"
    ]
    assert "red" not in json.dumps(nearest).replace("shared", "")


def test_direct_messages_stand_for_themselves_and_have_a_limit_of_their_own(
    tagged: TaggedDesk,
) -> None:
    assert tagged.said(QUESTION, channel="D1").startswith("In red\n")
    assert "asked within red only" in tagged.said(f"--in blue {QUESTION}", channel="D1")


def test_a_thread_from_before_a_channel_was_limited_is_limited_too(tagged: TaggedDesk) -> None:
    thread = tagged.ask(f"--in red {QUESTION}", channel="C7")
    tagged.settings = replace(
        tagged.settings, slack=replace(tagged.settings.slack, tags={"C7": ("blue",)})
    )
    assert tagged.said(QUESTION, channel="C7", thread=thread).startswith("In blue\n")


def test_what_a_dead_worker_has_left_is_asked_within_its_tags_and_its_channels(
    tagged: TaggedDesk,
) -> None:
    for number, (channel, text) in enumerate(
        {"C1": f"--in red {QUESTION}", "C5": QUESTION}.items()
    ):
        ts = f"{number}.5"
        tagged.claims.add(
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
        assert tagged.claims.lease("dead", ["question"])
    tagged.claims.release("dead")
    tagged.work(lambda: len(tagged.double.answers()) == 2)

    said = [
        each["text"].partition("\n")[0] for _, [each] in sorted(tagged.double.answers().items())
    ]
    assert said == ["In red", "In blue"]


def test_documents_are_listed_and_tags_with_them(tagged: TaggedDesk) -> None:
    listed = tagged.said("documents")
    assert listed.startswith("3 documents\n")
    assert listed.endswith("Tags: blue (1), red (1)")
    assert tagged.said("documents red").splitlines()[0] == "1 document in red"
    assert "the tags are blue, red" in tagged.said("documents --in green")


TEXTS = {
    "harbour": "The harbour basin is 12 metres deep.",
    "board": "The board meets in room nine on Mondays.",
}


@pytest.fixture(scope="module", name="served")
def tagged_server(
    converted: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, SlackDouble, Command]]:
    """A server over a document of each tag, where C900 is limited to the harbour."""
    folder = tmp_path_factory.mktemp("tagged")
    with SlackDouble() as double:
        settings = double.environment | {
            "QUOTED_SLACK_TAGS": "C900=harbour,empty",
            "QUOTED_MIN_CONFIDENCE": "0",
        }
        made = Command(folder / "data", converted, settings)
        for tag, text in TEXTS.items():
            write_files(folder / tag, {f"{tag}.txt": text})
            assert made("index", "--tag", tag, str(folder / tag)).returncode == 0
        with Server(made) as server:
            yield server.ready(), double, made
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
    said = until(lambda: double.responses[before:])[0]
    assert said["response_type"] == "ephemeral"
    assert "no document has the tag 'pier': the tags are board, harbour" in said["text"]
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
    assert "this channel is asked within empty, harbour only, got 'board'" in refused["text"]


@pytest.mark.slow
def test_the_check_names_the_tags_of_channels_and_those_that_no_document_has(
    served: tuple[Server, SlackDouble, Command],
) -> None:
    _, _, made = served
    done = made("slack", "check")

    assert done.returncode == 0
    assert (
        "note     QUOTED_SLACK_TAGS: C900 is asked within empty, harbour; every other channel is asked about all documents;"
        " no document has the tag empty"
    ) in done.stdout
    wrong = made.on(made.data, QUOTED_SLACK_TAGS="general")("serve", "--port", "0")
    assert wrong.returncode == 1
    assert "QUOTED_SLACK_TAGS: expected channels" in wrong.stderr
