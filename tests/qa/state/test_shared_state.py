"""State in PostgreSQL: made once, written by one at a time, and clear errors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from index.errors import SchemaTooNew, StoreBusy, StoreError, StoreUnreachable
from qa.access.key_store import KeyStore
from qa.state import postgres as module
from qa.state.conversations import ConversationStore, Version
from qa.state.database import State
from qa.state.upload_jobs import UploadedFile, UploadJobs
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

LATER = "UPDATE quoted.schema_versions SET version = 99 WHERE name = 'state.db'"


def test_both_forms_have_the_same_tables_and_columns(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    for location in ("", postgres.location):
        State(tmp_path, location).close()
        KeyStore(tmp_path, location).close()
    shared: dict[str, list[str]] = {}
    for table, column in postgres.run(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'quoted' ORDER BY table_name, ordinal_position"
    ):
        shared.setdefault(str(table), []).append(str(column))

    files: dict[str, list[str]] = {}
    for name in ("state.db", "access.db"):
        with closing(sqlite3.connect(tmp_path / name)) as db:
            for (table,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            ).fetchall():
                columns = db.execute("SELECT name FROM pragma_table_info(?)", (table,))
                files[table] = [column for (column,) in columns]
    # A column that came later stands last in a file; statements name the columns of that table.
    assert sorted(files.pop("turns")) == sorted(shared.pop("turns"))
    del shared["schema_versions"]
    assert files == shared


def test_processes_that_open_it_at_once_make_one(tmp_path: Path, postgres: PostgresServer) -> None:
    def start(number: int) -> str:
        # Both make tables in the same schema.
        with (
            closing(KeyStore(tmp_path, postgres.location)),
            closing(State(tmp_path, postgres.location)) as state,
        ):
            return ConversationStore(state).start(f"owner {number}").id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(start, range(8)))

    with closing(State(tmp_path, postgres.location)) as state:
        assert {row[0] for row in state.query("SELECT id FROM conversations")} == ids
    assert not list(tmp_path.iterdir())


def test_one_of_a_later_version_is_refused(tmp_path: Path, postgres: PostgresServer) -> None:
    State(tmp_path, postgres.location).close()
    postgres.run(LATER)

    with pytest.raises(SchemaTooNew, match="install a later quoted-qa") as refused:
        State(tmp_path, postgres.location)
    assert "hidden" not in str(refused.value)
    KeyStore(tmp_path, postgres.location).close()  # has a version of its own


def test_transactions_follow_each_other(tmp_path: Path, postgres: PostgresServer) -> None:
    with closing(State(tmp_path, postgres.location)) as state:
        ConversationStore(state).start("0")

    def add_one(_: int) -> None:
        with closing(State(tmp_path, postgres.location)) as state, state.writing() as db:
            [(owner,)] = db.execute("SELECT owner FROM conversations").fetchall()
            db.execute("UPDATE conversations SET owner = ?", (str(int(owner) + 1),))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add_one, range(30)))

    with closing(State(tmp_path, postgres.location)) as state:
        assert state.query("SELECT owner FROM conversations") == [("30",)]


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path, postgres: PostgresServer) -> None:
    with closing(State(tmp_path, postgres.location)) as state:
        with suppress(ZeroDivisionError), state.writing() as db:
            db.execute("INSERT INTO refused (owner, question, asked_at) VALUES ('a', 'b', 'c')")
            raise ZeroDivisionError
        with pytest.raises(StoreError, match="cannot be used"), state.writing() as db:
            db.execute("SELECT nothing FROM nowhere")
        assert state.query("SELECT * FROM refused") == []


def test_who_is_killed_in_a_transaction_keeps_nobody_waiting(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(tmp_path, postgres.location)
    )
    process.start()
    process.join(60)

    with closing(State(tmp_path, postgres.location)) as state:
        ConversationStore(state).start("after")
        assert state.query("SELECT owner FROM conversations") == [("after",)]


def _write_and_die(folder: Path, location: str) -> None:
    with State(folder, location).writing() as db:
        db.execute("INSERT INTO conversations VALUES ('a', 'lost', '', '', '')")
        os.kill(os.getpid(), signal.SIGKILL)


def test_who_waits_too_long_is_told_so(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SESSION", (*module._SESSION, "SET lock_timeout TO '100ms'"))
    with (
        closing(State(tmp_path, postgres.location)) as one,
        closing(State(tmp_path, postgres.location)) as other,
    ):
        with one.writing(), pytest.raises(StoreBusy, match="wait for it"), other.writing():
            pass
        with other.writing():
            pass


def test_a_server_that_is_restarted_is_used_again(tmp_path: Path, postgres: PostgresServer) -> None:
    with closing(State(tmp_path, postgres.location)) as state:
        history = ConversationStore(state)
        first = history.start("me")
        postgres.stop()
        try:
            for use in (lambda: history.start("me"), lambda: history.conversations("me")):
                with pytest.raises(StoreUnreachable, match="Start the server") as gone:
                    use()
                assert "hidden" not in str(gone.value)
            with pytest.raises(StoreUnreachable):
                State(tmp_path, postgres.location)
        finally:
            postgres.start()
        second = history.start("me")
        assert {each.id for each in history.conversations("me")} == {first.id, second.id}


def test_an_address_that_is_none_and_a_missing_extra_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="QUOTED_STATE") as refused:
        State(tmp_path, "postgresql://me:hidden@[::1/quoted")
    assert "hidden" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"quoted-qa\[postgres\]"):
        State(tmp_path, "postgresql://localhost/quoted")


def test_a_text_with_a_nul_keeps_its_places(tmp_path: Path, postgres: PostgresServer) -> None:
    result = {"answers": [], "generation": 1, "refusal": None}
    with closing(State(tmp_path, postgres.location)) as state:
        history = ConversationStore(state)
        conversation = history.start("me")
        version = Version("a", "ab", "A", "a.txt", "one\0two 100% ?")
        history.append(conversation.id, "100%?", "100%?", result, [version], 9)

        stored = history.version("me", "a", "ab")
        assert stored is not None
        assert stored.text == "one\ufffdtwo 100% ?"
        assert history.turns(conversation.id)[0].question == "100%?"


def test_upload_jobs_are_the_same_everywhere(tmp_path: Path, location: str) -> None:
    """The path of an uploaded file is stored as one of any data directory."""
    with closing(State(tmp_path / "one", location)) as one:
        path = tmp_path / "one" / "uploads" / ("0" * 16) / "a.txt"
        job = UploadJobs(one).add([UploadedFile("a.txt", path, "ab", size=7)], ["sea"], "key:1")
        usage = UploadJobs(one).usage("key:1")
        assert (usage.total_bytes, usage.own_bytes, usage.waiting_files) == (7, 7, 1)
        other = tmp_path / ("two" if location else "one")
        with closing(State(other, location)) as two:
            jobs = UploadJobs(two)
            [task] = jobs.begin(jobs.waiting())
            assert (task.job_id, task.tags, task.file.size) == (job.id, ("sea",), 7)
            assert task.file.path == other / "uploads" / ("0" * 16) / "a.txt"
            jobs.requeue([task])
            jobs.reconcile({"b": 5})
            assert jobs.job(job.id).status == "waiting"
            assert jobs.usage("key:1").total_bytes == 12
            assert jobs.file_counts() == {"waiting": 1}


def test_a_moved_document_takes_its_records_along(tmp_path: Path, location: str) -> None:
    result = {"answers": [], "generation": 1, "refusal": None, "of": "a"}
    with closing(State(tmp_path, location)) as state:
        history = ConversationStore(state)
        conversation = history.start("me")
        versions = [Version(each, "ab", "T", "u", f"text of {each}") for each in ("a", "b")]
        turn = history.append(conversation.id, "Q?", "Q?", result, versions, 9)

        state.rename("a", "b")

        assert history.quoted_versions(conversation.id) == {turn.id: [("b", "ab")]}
        moved = history.version("me", "b", "ab")
        assert moved is not None
        assert moved.text == "text of a"
        assert history.turns(conversation.id)[0].result["of"] == "b"
        assert state.document_ids() == {"b"}
