"""Crashes and rivals between the change of a table and that of the manifest."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from index.errors import SchemaTooNew, StoreBusy, StoreError
from index.lance.location import connect
from index.lance.maintenance import Upkeep, maintain
from index.lance.manifest import GRACE_MINUTES, Ledger
from index.lance.snapshot import LanceSnapshot
from index.lance.store import LanceStore
from index.lance.tables import DOCUMENTS
from index.lance.transaction import Transaction, Transactions
from tests.support.stored import put

pytest.importorskip("lancedb")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def store(tmp_path: Path) -> LanceStore:
    return LanceStore(str(tmp_path / "shared"), tmp_path / "data")


def uris(store: LanceStore) -> list[str]:
    with closing(LanceSnapshot(store.location, store.folder)) as snapshot:
        return [info.uri for info in snapshot.documents()]


def passages(store: LanceStore) -> list[str]:
    with closing(LanceSnapshot(store.location, store.folder)) as snapshot:
        rows = snapshot.rows.tolist()
        assert len(rows) == snapshot.size
        assert snapshot.manifest.documents == len(snapshot.documents())
        return sorted(snapshot.chunk(row).text for row in rows)


def test_what_was_cut_off_before_the_manifest_is_not_there(
    store: LanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "It rains.", "a.txt")
    before = store.manifest()

    def die(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "commit", die)
        # Not even the lease is given back.
        patch.setattr(Ledger, "release", lambda *_: None)
        with pytest.raises(Killed):
            put(store, "It snows.", "b.txt")
        with pytest.raises(Killed):
            put(store, "It is dry.", "a.txt")

    assert store.manifest() == before
    assert uris(store) == ["a.txt"]
    assert passages(store) == ["It rains."]

    other = LanceStore(store.location, store.folder)
    other.transactions = store.transactions  # the same owner, whose lease it still is
    put(other, "It hails.", "c.txt")
    assert uris(other) == ["a.txt", "c.txt"]
    assert passages(other) == ["It hails.", "It rains."]


def test_a_store_whose_creation_was_cut_off_is_created(tmp_path: Path) -> None:
    begun = tmp_path / "shared" / "manifest.lance" / "data"
    begun.mkdir(parents=True)
    (begun / "1.lance").write_bytes(b"its first rows")

    assert not Ledger(str(tmp_path / "shared")).exists()
    store = LanceStore(str(tmp_path / "shared"), tmp_path / "data")
    put(store, "It rains.", "a.txt")
    assert passages(store) == ["It rains."]


def test_a_store_that_another_process_is_creating_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = str(tmp_path / "shared")
    rival, late = Ledger(location), Ledger(location)
    rival.create()
    # It was looked for a moment before the rival had created it.
    found = iter([None])
    look = late._table_if_created
    monkeypatch.setattr(late, "_table_if_created", lambda: next(found, look()))

    late.create()

    assert late.read().store == rival.read().store


def test_a_batch_is_one_change(store: LanceStore) -> None:
    with store.batch():
        put(store, "It rains.", "a.txt")
        put(store, "It snows.", "b.txt")
        assert uris(store) == []
    assert store.manifest().revision == 1
    assert uris(store) == ["a.txt", "b.txt"]


def test_the_same_file_of_two_writers_is_one_document(store: LanceStore) -> None:
    rival = LanceStore(store.location, store.folder)
    with store.batch():
        put(store, "It rains.", "a.txt")
        put(rival, "It snows.", "a.txt")
        assert passages(store) == ["It snows."]

    assert uris(store) == ["a.txt"]
    assert passages(store) == ["It rains."]


def test_a_writer_whose_lease_is_over_commits_nothing(store: LanceStore) -> None:
    put(store, "It rains.", "a.txt")
    rival = LanceStore(store.location, store.folder)
    attempts = 0

    def slow(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        transaction.update(DOCUMENTS, "uri = 'a.txt'", {"state": "changed"})
        if attempts == 1:  # asleep for longer than the lease, which another one takes
            put(rival, "It snows.", "b.txt")

    Transactions(store.location, heartbeat_seconds=60).run(slow, seconds=0.0)

    assert attempts == 2
    assert uris(store) == ["a.txt", "b.txt"]
    [file] = [each for each in (store.file_at(Path("/corpus/a.txt")),) if each]
    assert file.state == "changed"


def test_a_rival_between_two_operations_is_noticed(store: LanceStore) -> None:
    put(store, "It rains.", "a.txt")
    attempts = 0

    def change(transaction: Transaction) -> None:
        nonlocal attempts
        attempts += 1
        transaction.table(DOCUMENTS)
        if attempts == 1:
            stray = Transaction(store.location, transaction.manifest)
            stray.update(DOCUMENTS, "uri = 'a.txt'", {"title": "Stray"})
        transaction.update(DOCUMENTS, "uri = 'a.txt'", {"state": "changed"})

    store.transactions.run(change)

    assert attempts == 2
    [row] = store.select(DOCUMENTS, ["title", "state"])
    assert row == {"title": "a.txt", "state": "changed"}


@pytest.mark.slow
def test_a_lease_lasts_as_long_as_the_work(store: LanceStore) -> None:
    put(store, "It rains.", "a.txt")
    rival = Transactions(store.location)
    taken = []

    def slow(transaction: Transaction) -> None:
        over = ends(rival.ledger)
        while time.time() < over + 0.5:
            time.sleep(0.25)
            taken.append(rival.ledger.acquire("rival", 1))
        transaction.update(DOCUMENTS, "uri = 'a.txt'", {"state": "changed"})

    # Longer than any beat takes on a busy machine.
    Transactions(store.location, heartbeat_seconds=0.1).run(slow, seconds=3.0)

    assert set(taken) == {None}
    assert rival.ledger.acquire("rival", 1)


def ends(ledger: Ledger) -> float:
    """Return when the lease ends, in Unix time."""
    return float(ledger._row()["until"])


def test_who_holds_the_lease_is_waited_for(store: LanceStore) -> None:
    rival = Transactions(store.location)
    waits: list[bool] = []
    assert rival.ledger.acquire("rival", 1.5)
    over = ends(rival.ledger)

    with store.writing(lambda: waits.append(True)):
        put(store, "It rains.", "a.txt")
    assert time.time() >= over
    assert waits == [True]

    assert rival.ledger.acquire("rival", 60)
    with pytest.raises(StoreBusy), store.writing(seconds=0.1):
        put(store, "It snows.", "b.txt")


def test_nothing_stays_of_what_is_forgotten(store: LanceStore) -> None:
    put(store, "It rains cats.", "a.txt")
    put(store, "It rains dogs.", "a.txt")

    assert store.delete_all() == 1
    files = [path for path in Path(store.location).rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"It rains" in path.read_bytes()]
    put(store, "It snows.", "b.txt")
    assert passages(store) == ["It snows."]


def versions_of(store: LanceStore, name: str) -> set[int]:
    table = connect(store.location).open_table(name)
    return {each["version"] for each in table.list_versions()}


def test_upkeep_keeps_what_a_reader_may_have_open(
    store: LanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted is what was replaced more than an hour ago, however old it is."""
    monkeypatch.setattr("index.lance.maintenance.MARGIN", timedelta(seconds=1))
    for number in range(3):
        put(store, f"It rains for the {number}th time.", "a.txt")
    reader = LanceSnapshot(store.location, store.folder)
    limits = Upkeep(fragments=0)
    assert maintain(store.transactions, limits)
    opened = reader.manifest.tables[DOCUMENTS]
    assert opened in versions_of(store, DOCUMENTS)
    assert [info.uri for info in reader.documents()] == ["a.txt"]
    assert not reader.resume()

    now, hour = time.time(), 60.0 * (GRACE_MINUTES + 2)
    with monkeypatch.context() as patch:
        patch.setattr("index.lance.transaction.time.time", lambda: now + hour)
        time.sleep(1)  # the margin
        put(store, "It is dry.", "a.txt")
        patch.setattr("index.lance.transaction.time.time", lambda: now + 2 * hour)
        for _ in range(2):  # the first one forgets what was replaced an hour ago
            assert maintain(store.transactions, limits)
    assert opened not in versions_of(store, DOCUMENTS)
    assert passages(store) == ["It is dry."]


def test_upkeep_that_is_cut_off_is_taken_back(
    store: LanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "It rains.", "a.txt")

    def die(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "commit", die)
        with pytest.raises(Killed):
            maintain(store.transactions, Upkeep(fragments=0))
    assert passages(store) == ["It rains."]
    put(store, "It snows.", "b.txt")
    assert maintain(store.transactions, Upkeep(fragments=0))
    assert passages(store) == ["It rains.", "It snows."]


def test_a_change_that_changes_nothing_is_no_revision(store: LanceStore) -> None:
    put(store, "It rains.", "a.txt")
    before = store.manifest()

    store.transactions.run(lambda _: None)

    assert store.manifest() == before
    assert Transactions(store.location).ledger.acquire("other", 1)


def test_a_store_of_a_later_version_is_refused(store: LanceStore) -> None:
    store.transactions.run(lambda transaction: transaction.change(format=99))

    with pytest.raises(SchemaTooNew, match="format 99"):
        store.manifest()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises((StoreError, FileExistsError)):
        LanceStore(str(tmp_path / "file"), tmp_path / "data")


WRITER = """
import os, signal, sys
from pathlib import Path
from index.lance.manifest import Ledger
from index.lance.store import LanceStore
from index.lance.transaction import Transaction
from tests.support.stored import put

location, name, count, step, kill_at = sys.argv[1:]
owner, method = {"commit": (Ledger, "commit"), "table": (Transaction, "_follow")}[step]
original = getattr(owner, method)
done = 0

def counted(*arguments):
    global done
    done += 1
    if done == int(kill_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)

setattr(owner, method, counted)
store = LanceStore(location, Path(location).parent / name)
for number in range(int(count)):
    put(store, f"{name} wrote number {number}.", f"{name}-{number}.txt")
    print(number, flush=True)
"""


def writer(
    location: str, name: str, count: int, step: str = "commit", kill_at: int = 0
) -> subprocess.Popen[str]:
    command: list[Any] = [sys.executable, "-c", WRITER, location, name]
    command += [str(count), step, str(kill_at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_writers_at_once_lose_and_double_nothing_even_if_one_is_killed(tmp_path: Path) -> None:
    location = str(tmp_path / "shared")
    processes = {
        "one": writer(location, "one", 20),
        "two": writer(location, "two", 20),
        "killed": writer(location, "killed", 20, "commit", kill_at=5),
        "killed-inside": writer(location, "killed-inside", 20, "table", kill_at=12),
    }
    reported = {name: process.communicate()[0].split() for name, process in processes.items()}

    codes = [process.returncode for process in processes.values()]
    assert codes == [0, 0, -signal.SIGKILL, -signal.SIGKILL]
    counts = [len(reported[name]) for name in processes]
    assert counts[:2] == [20, 20]
    assert all(0 < count < 20 for count in counts[2:])
    store = LanceStore(location, tmp_path / "data")
    expected = [f"{name}-{number}.txt" for name in processes for number in map(int, reported[name])]
    assert sorted(uris(store)) == sorted(expected)
    assert len(passages(store)) == len(set(passages(store))) == sum(counts)
