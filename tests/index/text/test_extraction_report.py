"""Reports on how well files were read."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from index.document import PageCounts
from index.text.english_words import known_share
from index.text.extraction_report import ExtractionReport, report_on
from index.text.source_code import code_structure
from tests.support.fakes import plain_document

PROSE = "The harbour master closes the outer gate when the wind is above forty knots. " * 5
GARBLED = "Uif ibscpvs nbtufs dmptft uif pvufs hbuf xifo uif xjoe jt bcpwf gpsuz loput. " * 5


def test_known_words_tell_text_from_garbage() -> None:
    read = report_on(plain_document(PROSE))
    garbled = report_on(replace(plain_document(GARBLED), language=None))

    assert read.known_words == 1.0
    assert read.caution is None
    assert garbled.known_words is not None
    assert garbled.known_words < 0.2
    assert garbled.caution == f"only {garbled.known_words:.0%} of its words are known"


def test_few_words_and_other_languages_are_not_measured() -> None:
    german = report_on(replace(plain_document(PROSE), language="de"))

    assert report_on(plain_document("Xq zz brrk.")).known_words is None
    assert (german.known_words, german.caution) == (None, "not in English (de)")


def test_names_in_code_and_keys_are_not_measured() -> None:
    source = "".join(f"def xqrz{at}(brk): return zzt{at}\n" for at in range(40))
    document = plain_document(source)

    code = replace(document, language=None, blocks=code_structure(source).blocks)

    assert report_on(code).known_words is None


def test_pages_are_counted_and_named() -> None:
    report = ExtractionReport("en", 0.9, 2, "", PageCounts(10, 3, 4, 1))

    assert report.summary == (
        "language en, 90% known words, 10 pages, 3 without text, 4 in columns, "
        "1 recognised from images, 2 tables"
    )
    assert report.caution == (
        "3 of 10 pages without text; text of 1 of 10 pages recognised from images"
    )
    assert ExtractionReport("en", 0.9, pages=PageCounts(10, 1)).caution is None


def test_tables_are_runs_of_blocks() -> None:
    table = plain_document("A: 1\n").blocks[0]
    kinds = ["paragraph", "table", "table", "heading", "table"]
    document = replace(
        plain_document(PROSE), blocks=tuple(replace(table, kind=kind) for kind in kinds)
    )

    assert report_on(document).tables == 2


@given(st.text())
def test_any_text_has_a_share(text: str) -> None:
    share, words = known_share(text)

    assert 0 <= share <= 1
    assert words >= 0


@given(st.builds(PageCounts, *[st.integers(0, 50)] * 4), st.text(), st.none() | st.floats(0, 1))
def test_reports_survive_storage(pages: PageCounts, left_out: str, share: float | None) -> None:
    report = ExtractionReport("en", share, 3, left_out, pages)

    assert ExtractionReport.from_plain(report.to_plain()) == report
