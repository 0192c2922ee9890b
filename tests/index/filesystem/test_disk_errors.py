"""Tests of files that replace others in one step."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.filesystem.disk_errors import replacing
from index.sources.web import Fetcher
from tests.qa.library.test_upload_service import Harbour
from tests.support.disks import disk, fill
from tests.support.serving import settings_in


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replacing(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
    assert (target.read_text(), list(tmp_path.iterdir())) == ("new", [target])


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    for written in ("", "new"):
        with pytest.raises(UnicodeEncodeError), replacing(target) as part:
            part.write_text(f"{written}\ud800", "utf-8")
        assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


class OneLargePage(Fetcher):
    """Fetcher of a page that the disk has no room for."""

    def fetch(self, url: str) -> tuple[bytes, str]:
        del url
        return b"x" * 4_000_000, ".txt"


def test_a_failed_page_or_replacement_leaves_a_small_disk_no_fuller(tmp_path: Path) -> None:
    with disk(tmp_path / "small", "3m"):
        with pytest.raises(OSError, match="No space"):
            OneLargePage(1).save("http://site.test/", tmp_path / "small")
        assert list((tmp_path / "small").iterdir()) == []

        harbour = Harbour(settings_in(tmp_path / "small"))
        known = harbour.file("a.txt")
        harbour.done(harbour.jobs.add([known]))
        job = harbour.jobs.add([harbour.file("a.txt", b"word " * 60_000, known.path)])
        fill(tmp_path / "small" / "ballast", 200_000)
        with pytest.raises(OSError, match="No space"):
            harbour.work()
        assert (known.path.parent / "a.txt").exists()
        assert not list(harbour.uploads.folder.rglob("*.part"))
        assert harbour.jobs.job(job.id).status == "waiting"
        harbour.state.close()
