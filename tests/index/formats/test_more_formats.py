"""Subtitles, notebooks, XML, broken books, and old Office files with a stand-in for LibreOffice."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from index.errors import BinaryFile, DamagedFile, LoadingError
from index.formats import epub, legacy_office, notebook, subtitles, xml_text
from index.formats.detection import kind_of
from index.formats.office import spreadsheet
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox_worker import extract
from tests.index.formats.test_documents import parts
from tests.index.formats.test_text_builder import assert_sound
from tests.support.writers import archive, book, word

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def test_subtitles_are_paragraphs_under_their_times() -> None:
    source = """WEBVTT - talk

NOTE not shown

1
00:00:01.000 --> 00:00:03.000
<v Roger>The pump costs

00:00:03.000 --> 00:00:05.500 align:start
<v Roger><i>480 euros</i> &amp; more.

01:02:03.000 --> 01:02:04.000
<v Ann>No, 490.
"""

    extracted = subtitles.extract(source.encode())

    assert parts(extracted) == [
        ("0:01", "Roger: The pump costs 480 euros & more."),
        ("1:02:03", "Ann: No, 490."),
    ]
    assert extracted.title is None
    assert_sound(extracted)


def test_subrip_subtitles() -> None:
    source = (
        "1\r\n00:00:01,000 --> 00:00:03,000\r\nHello\r\nthere.\r\n\r\n"
        "2\r\n00:00:04,000 --> 00:00:05,000\r\nBye.\r\n"
    )

    assert parts(subtitles.extract(source.encode("utf-16"))) == [("0:01", "Hello there. Bye.")]


def test_notebooks_keep_the_order_of_their_cells() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Boiler\n", "\n", "The limit is 6 bar."]},
        {
            "cell_type": "code",
            "source": "open(valve)",
            "outputs": [
                {"output_type": "stream", "text": ["opened\n"]},
                {"output_type": "execute_result", "data": {"text/plain": "42"}},
            ],
        },
        {"cell_type": "markdown", "source": "It is old."},
    ]

    extracted = notebook.extract(json.dumps({"cells": cells, "nbformat": 4}).encode())

    assert extracted.title == "Boiler"
    assert parts(extracted) == [
        ("Boiler", "The limit is 6 bar."),
        ("Boiler", "open(valve)"),
        ("Boiler", "opened"),
        ("Boiler", "42"),
        ("Boiler", "It is old."),
    ]
    assert_sound(extracted)


@pytest.mark.parametrize("source", [b"{}", b"[1]", b'{"cells": 3}', b"no json", b"[" * 100_000])
def test_a_damaged_notebook_is_an_error_in_words(source: bytes) -> None:
    with pytest.raises(DamagedFile, match="expected a notebook"):
        notebook.extract(source)


def test_articles_in_xml() -> None:
    source = b"""<article xmlns="http://docbook.org/ns/docbook"><title>Boilers</title>
<section><title>Limits</title><para>The limit is <emphasis>6 bar</emphasis>.</para></section>
<section><title>Pumps</title><para>They cost 480 euros.</para></section></article>"""

    extracted = xml_text.extract(source)

    assert extracted.title == "Boilers"
    assert parts(extracted) == [
        ("Limits", "The limit is 6 bar."),
        ("Pumps", "They cost 480 euros."),
    ]


def test_persons_in_xml_have_their_name_in_one_piece() -> None:
    source = b"""<article><front><article-title>Boilers</article-title>
    <contrib contrib-type="author"><contrib-id>https://orcid.org/1</contrib-id>
    <name><surname>Wolf</surname><given-names>Ann Mary</given-names></name><xref>1</xref></contrib>
    <contrib contrib-type="editor"><name><surname>Berg</surname><given-names>Otto</given-names>
    </name></contrib></front><ref><name><surname>Sun</surname><given-names>M.-A.</given-names></name>
    <year>2024</year></ref></article>"""

    text = xml_text.extract(source).text

    assert text.splitlines()[2:] == [
        "author: Ann Mary Wolf", "editor: Otto Berg", "name: Sun M.-A.", "year: 2024",
    ]  # fmt: skip


def test_data_in_xml_is_names_with_values() -> None:
    source = b"<pumps><pump><name>P1</name><unit_price>480</unit_price></pump></pumps>"

    assert xml_text.extract(source).text == "name: P1\nunit price: 480"


@pytest.mark.parametrize(
    "source",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a>",
        b"",
    ],
)
def test_hostile_and_damaged_xml_is_an_error(source: bytes) -> None:
    with pytest.raises(LoadingError):
        xml_text.extract(source)


def _broken(data: bytes, name: str) -> bytes:
    """Return a book in which the bytes of one chapter do not match their checksum."""
    with zipfile.ZipFile(BytesIO(data)) as container:
        parts_of = {each: container.read(each) for each in container.namelist()}
        at = container.getinfo(name).header_offset
    del parts_of
    start = data.index(name.encode(), at) + len(name)
    return data[: start + 4] + bytes([data[start + 4] ^ 0xFF]) + data[start + 5 :]


def test_one_broken_chapter_does_not_cost_the_book() -> None:
    data = book(
        {
            "a.xhtml": "<p>The miller was born in 1871.</p>",
            "b.xhtml": "<p>Broken.</p>",
            "c.xhtml": "<p>The mill has four stones.</p>",
        }
    )
    name = next(each for each in zipfile.ZipFile(BytesIO(data)).namelist() if "b.xhtml" in each)

    extracted = epub.extract(_broken(data, name))

    assert "1871" in extracted.text
    assert "four stones" in extracted.text
    assert extracted.remark == "has chapters that are missing or damaged: b.xhtml"


def test_a_book_without_a_chapter_that_can_be_read_is_damaged() -> None:
    data = book({"b.xhtml": "<p>Broken.</p>"})
    name = next(each for each in zipfile.ZipFile(BytesIO(data)).namelist() if "b.xhtml" in each)

    with pytest.raises(DamagedFile, match="chapters are missing or damaged"):
        epub.extract(_broken(data, name))


# Old Office files: no test machine needs LibreOffice, so a small program stands in for it.


@pytest.fixture
def _office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "result.docx").write_bytes(word())
    program = tmp_path / "soffice"
    program.write_text(
        "#!/bin/sh\n"
        'while [ $# -gt 1 ]; do [ "$1" = --outdir ] && out="$2"; shift; done\n'
        f'cp "{tmp_path}/result.docx" "$out/file.docx"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    legacy_office.converter.cache_clear()
    yield
    legacy_office.converter.cache_clear()


@pytest.mark.usefixtures("_office")
def test_old_office_files_are_converted_where_libreoffice_is_installed() -> None:
    data = OLE + "WordDocument".encode("utf-16-le")

    kind = kind_of(".doc", data)
    assert kind is not None
    extracted: ExtractedText = extract(kind.name, data)

    assert kind.name == "doc"
    assert extracted.title == "Tides"


def test_old_office_files_need_libreoffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    legacy_office.converter.cache_clear()

    with pytest.raises(BinaryFile, match="install LibreOffice, or open it and save it"):
        kind_of(".ppt", OLE + "PowerPoint Document".encode("utf-16-le"))

    legacy_office.converter.cache_clear()


def test_slides_of_opendocument_are_told_by_their_type() -> None:
    data = archive({"mimetype": "application/vnd.oasis.opendocument.presentation"})

    kind = kind_of(".odp", data)

    assert kind is not None
    assert kind.name == "odt"


def test_workbooks_of_before_1997_are_told_by_their_stream() -> None:
    head = bytes.fromhex("d0cf11e0a1b11ae1").ljust(1024, b"\0")
    entry = "Book".encode("utf-16-le")

    kind = kind_of(".xls", head + entry.ljust(128, b"\0"))

    assert kind is not None
    assert kind.name == "sheet"
    with pytest.raises(BinaryFile, match="old Office file"):
        kind_of(".xls", head + b"no" + entry.ljust(128, b"\0"))


def test_a_workbook_that_its_library_cannot_stand_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def panic(_: object) -> None:
        raise PanicException

    monkeypatch.setattr(
        "index.formats.office.spreadsheet.BytesIO", lambda _: panic(None), raising=True
    )
    with pytest.raises(DamagedFile, match="save it as"):
        spreadsheet.extract_workbook(b"x")
