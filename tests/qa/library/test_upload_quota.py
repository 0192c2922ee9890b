"""Quotas of uploads: in all, of one key, and of files that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qa.access.principal import LOCAL, Principal
from qa.errors import QAError, QuotaReached, TooManyUploads
from qa.library.documents import remove_document
from qa.library.upload_quota import UploadQuota
from qa.library.upload_service import UploadService
from qa.state.upload_jobs import Usage
from tests.qa.library.test_upload_service import TEXT, Harbour
from tests.support.serving import settings_in

ANNA = Principal("anna", "key:anna", "writer")
BEN = Principal("ben", "key:ben", "writer")
NOTHING = Usage(0, 0, 0)


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    """Return an empty data directory in which little may be stored."""
    made = Harbour(
        replace(settings_in(tmp_path), max_stored_bytes=100, max_key_bytes=60, max_waiting_files=3)
    )
    yield made
    made.state.close()


def upload(harbour: Harbour, asker: Principal, *names: str, text: str = TEXT) -> None:
    """Upload files with the size that their bytes have."""
    files = [replace(harbour.file(name, text), size=len(text)) for name in names]
    UploadService(harbour.settings).take(files, [], asker)


def test_a_key_has_a_quota_and_nobody_alone_on_a_machine_has(harbour: Harbour) -> None:
    upload(harbour, ANNA, "a.txt")
    with pytest.raises(QuotaReached, match=r"one key may have 60 bytes.*have 39.*QUOTED_MAX_KEY"):
        upload(harbour, ANNA, "b.txt")
    upload(harbour, LOCAL, "c.txt", text="x" * 61)

    assert harbour.files() == ["a.txt", "c.txt"]  # those of refused uploads are deleted


def test_all_uploads_together_have_one(harbour: Harbour) -> None:
    upload(harbour, ANNA, "a.txt")
    upload(harbour, BEN, "b.txt")
    with pytest.raises(QuotaReached, match=r"100 bytes.*have 78.*QUOTED_MAX_STORED_BYTES"):
        upload(harbour, LOCAL, "c.txt")


def test_so_many_files_may_wait(harbour: Harbour) -> None:
    upload(harbour, ANNA, "a.txt", "b.txt", text="x")
    with pytest.raises(TooManyUploads, match=r"2 uploaded files wait.*at most 3.*WAITING_FILES"):
        upload(harbour, BEN, "c.txt", "d.txt", text="x")
    harbour.work()
    upload(harbour, BEN, "c.txt", "d.txt", text="x")


def test_what_is_deleted_or_was_no_document_gives_its_room_back(harbour: Harbour) -> None:
    upload(harbour, ANNA, "a.txt", "a.exe", text=TEXT[:20])
    assert harbour.jobs.usage(ANNA.owner) == Usage(40, 40, 2)
    harbour.work()
    assert harbour.jobs.usage(ANNA.owner) == Usage(20, 20, 0)

    remove_document(harbour.settings, "a.txt")
    assert harbour.jobs.usage(ANNA.owner) == NOTHING


def test_files_of_an_older_version_are_counted_and_lost_ones_are_not(harbour: Harbour) -> None:
    upload(harbour, ANNA, "waiting.txt")
    harbour.jobs.reconcile({"old": 5, "older": 7})
    assert harbour.jobs.usage(ANNA.owner) == Usage(12 + len(TEXT), len(TEXT), 1)

    harbour.jobs.reconcile({"old": 6})
    assert harbour.jobs.usage("local") == Usage(6 + len(TEXT), 6, 1)


def test_bytes_count_while_they_arrive(harbour: Harbour) -> None:
    quota = UploadQuota(harbour.settings)
    with quota.arrival(ANNA.owner, NOTHING, 0) as first:
        first(50)
        with quota.arrival(BEN.owner, NOTHING, 50) as second:
            second(50)
            with pytest.raises(QuotaReached):
                second(1)
        with pytest.raises(QuotaReached):
            first(11)
    with quota.arrival(ANNA.owner, NOTHING, 60) as again:
        again(60)


@pytest.mark.parametrize(
    ("usage", "announced", "error"),
    [
        (NOTHING, 61, QuotaReached),
        (Usage(90, 0, 0), 11, QuotaReached),
        (Usage(0, 0, 3), 0, TooManyUploads),
    ],
)
def test_an_upload_without_room_is_refused_before_its_first_byte(
    harbour: Harbour, usage: Usage, announced: int, error: type[QAError]
) -> None:
    begin: Callable[[], object] = (
        UploadQuota(harbour.settings).arrival(ANNA.owner, usage, announced).__enter__
    )
    with pytest.raises(error):
        begin()
