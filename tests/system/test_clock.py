"""Tests with a clock that is set back, and with file times of the past or the future.

Changes must be noticed, and nothing may be lost.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from index.store.schema import current_generation
from index.store.snapshot import SqliteSnapshot
from qa.answering.retrieval.source_freshness import FileHashes, SourceFreshness
from qa.state.conversations import ConversationStore
from qa.state.database import State
from qa.state.message_queue import LEASE_SECONDS, Message, MessageQueue
from qa.state.upload_jobs import UploadedFile, UploadJobs
from tests.qa.interfaces.api.test_uploads import HARBOUR, QUESTION
from tests.support.serving import Command, carded, indexed, settings_in, write_files

DAY = 86_400
QUESTION_OF = Message("Ev1", "T", "C", "1.0", "1.0", "U", "question", {"question": "Where?"})


class Clock:
    """Clock of Unix time that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[State]:
    with closing(State(tmp_path, clock=clock.date)) as opened:
        yield opened


@pytest.mark.parametrize("age", [3 * DAY, 0, -3 * DAY, -40 * 365 * DAY])
def test_a_change_is_noticed_whatever_its_time_says(tmp_path: Path, age: int) -> None:
    settings, corpus = settings_in(tmp_path), tmp_path / "corpus"
    indexed(settings, carded(), corpus, {"gate.txt": HARBOUR})
    before = current_generation(settings.data) or 0
    seen = (corpus / "gate.txt").stat()
    (corpus / "gate.txt").write_text(HARBOUR.replace("seven", "eight"))
    os.utime(corpus / "gate.txt", ns=(seen.st_atime_ns, seen.st_mtime_ns - age * 10**9))

    with closing(SqliteSnapshot(settings.data)) as snapshot:
        [document] = snapshot.document_ids
        assert SourceFreshness(snapshot, FileHashes()).freshness(document) == "changed"
    assert indexed(settings, carded(), corpus, {}).count("updated") == 1
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        assert "eight" in snapshot.document(document).text
        assert SourceFreshness(snapshot, FileHashes()).freshness(document) == "current"
        assert snapshot.generation > before


def test_conversations_and_jobs_stay(state: State, clock: Clock) -> None:
    history = ConversationStore(state)
    first = history.start("me").id
    job = UploadJobs(state).add([UploadedFile("gate.txt", Path("/gate.txt"), "0" * 64)])
    clock.seconds -= 400 * DAY
    second = history.start("me").id

    assert state.expire(30) == 0
    UploadJobs(state).expire()
    assert {each.id for each in history.conversations("me")} == {first, second}
    assert [task.job_id for task in UploadJobs(state).waiting()] == [job.id]
    clock.seconds += timedelta(days=400 + 31).total_seconds()
    # The last one stays: the clock may have jumped.
    assert state.expire(30) == 1
    assert [each.id for each in history.conversations("me")] == [first]


def test_a_message_of_a_dead_worker_is_leased_although_its_lease_lies_in_the_future(
    state: State, clock: Clock
) -> None:
    claims = MessageQueue(state, clock=clock)
    claims.add(QUESTION_OF)
    assert claims.lease("dead", ["question"])
    clock.seconds -= 10 * DAY

    assert claims.lease("other", ["question"])
    clock.seconds += LEASE_SECONDS / 2
    assert claims.lease("third", ["question"]) is None


def test_a_retry_is_not_delayed_by_days(state: State, clock: Clock) -> None:
    claims = MessageQueue(state, clock=clock)
    claims.add(QUESTION_OF)
    taken = claims.lease("one", ["question"])
    assert taken
    claims.retry_later(taken, 5)
    assert claims.lease("one", ["question"]) is None
    clock.seconds -= 10 * DAY

    assert claims.lease("one", ["question"])


def test_questions_of_the_future_are_none_of_the_last_minute(state: State, clock: Clock) -> None:
    claims = MessageQueue(state, clock=clock)
    claims.add(QUESTION_OF)
    assert claims.count_sent("T", "U", ["question"], 60) == 1
    clock.seconds -= DAY

    assert claims.count_sent("T", "U", ["question"], 60) == 0


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("faketime") is None, reason="sets the clock of processes with libfaketime"
)
def test_the_commands_with_a_clock_that_goes_back(command: Command, corpus: Path) -> None:
    def qa(offset: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = ["faketime", "-f", offset, *map(str, command.line(*arguments))]
        # The times of files stay: with other times the models, which all tests share, are compiled
        # anew.
        fixed = {"QUOTED_MIN_CONFIDENCE": "0", "NO_FAKE_STAT": "1"}
        environment = command.environment | fixed
        return subprocess.run(
            line, capture_output=True, check=False, env=environment, text=True, timeout=180
        )

    write_files(corpus, {"gate.txt": HARBOUR})
    assert qa("+30d", "index", str(corpus)).stdout == "Indexed: 1 added.\n"
    write_files(
        corpus,
        {"gate.txt": HARBOUR.replace("seven", "eight"), "bread.txt": "Bread rises for two hours."},
    )
    assert qa("-30d", "index", str(corpus)).stdout == "Indexed: 1 added, 1 updated.\n"
    answer = json.loads(qa("-60d", "ask", QUESTION, "--json").stdout)
    assert (answer["answer"], answer["citations"][0]["freshness"], answer["generation"]) == (
        "eight",
        "current",
        3,
    )
    assert qa("-90d", "doctor").returncode == 0
