"""Workbooks and documents that are one XML file."""

from __future__ import annotations

import base64
import zipfile
from io import BytesIO

import docx
import pptx
import pytest

from index.errors import LoadingError
from index.formats.detection import kind_of
from index.formats.text_builder import ExtractedText
from index.parsing import sandbox_worker
from tests.support.writers import saved

WORKBOOK = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel">
<Styles><Style ss:ID="Default"/></Styles>
<Worksheet ss:Name="Prices"><Table><Column/><Column ss:Index="4" ss:Hidden="1"/>
<Row ss:Index="2"><Cell><Data ss:Type="String">Item</Data></Cell>
<Cell><Data ss:Type="String">Price</Data></Cell><Cell><Data ss:Type="String">Since</Data></Cell>
<Cell><Data ss:Type="String">Floor</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">Lamp</Data></Cell>
<Cell><Data ss:Type="Number">39.899999999999999</Data></Cell>
<Cell><Data ss:Type="DateTime">2026-03-02T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Number">31</Data></Cell></Row>
<Row ss:Hidden="1"><Cell><Data ss:Type="String">Secret</Data></Cell></Row>
<Row><Cell ss:MergeAcross="1"><Data ss:Type="String">Desk</Data></Cell>
<Cell><Data ss:Type="Boolean">1</Data></Cell></Row>
</Table></Worksheet>
<Worksheet ss:Name="Old"><Table><Row><Cell><Data ss:Type="String">Gone</Data></Cell></Row></Table>
<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet>
</Workbook>
"""


def extract(data: bytes) -> ExtractedText:
    """Return the text of an XML file."""
    return sandbox_worker.extract("xml", data)


def package(data: bytes) -> bytes:
    """Return the parts of a container as one XML file (Flat OPC)."""
    parts = []
    with zipfile.ZipFile(BytesIO(data)) as container:
        types = container.read("[Content_Types].xml").decode()
        for name in container.namelist():
            content = container.read(name)
            _, found, rest = types.partition(f'PartName="/{name}" ContentType="')
            kind = (
                rest.partition('"')[0]
                if found
                else (
                    "application/vnd.openxmlformats-package.relationships+xml"
                    if name.endswith(".rels")
                    else "application/octet-stream"
                )
            )
            if name == "[Content_Types].xml":
                continue
            if name.endswith((".xml", ".rels")):
                tree = content.decode().partition("?>")[2]
                inner = f"<pkg:xmlData>{tree}</pkg:xmlData>"
            else:
                inner = f"<pkg:binaryData>{base64.b64encode(content).decode()}</pkg:binaryData>"
            parts.append(
                f'<pkg:part pkg:name="/{name}" pkg:contentType="{kind}">{inner}</pkg:part>'
            )
    space = "http://schemas.microsoft.com/office/2006/xmlPackage"
    return f'<pkg:package xmlns:pkg="{space}">{"".join(parts)}</pkg:package>'.encode()


def test_a_workbook_in_xml_is_read_like_others() -> None:
    extracted = extract(WORKBOOK.encode())

    lines = extracted.text.splitlines()
    assert lines[0] == "Prices"
    assert "Item: Lamp; Price: 39.9; Since: 2026-03-02" in lines
    assert "Item: Desk; Since: yes" in lines
    assert not any(word in extracted.text for word in ("Floor", "31", "Secret", "Gone"))
    assert "1 hidden sheet (Old)" in extracted.remark
    assert "1 hidden row (Prices!4)" in extracted.remark
    place = extracted.places.at(extracted.text.index("Lamp"))
    assert (place.sheet, place.row) == ("Prices", 3)
    assert extracted.title is None


def test_a_workbook_in_xml_may_have_the_suffix_of_others() -> None:
    kind = kind_of(".xls", WORKBOOK.encode())

    assert kind is not None
    assert kind.name == "xml"


def test_documents_in_one_xml_file_are_read_like_others() -> None:
    document, slides = docx.Document(), pptx.Presentation()
    document.add_heading("Offer", 1)
    document.add_paragraph("The price is 480 euros.")
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = "Prices"

    assert extract(package(saved(document))).text == "Offer\n\nThe price is 480 euros."
    assert extract(package(saved(slides))).text == "Prices"


def test_a_package_without_a_document_is_an_error_in_words() -> None:
    with pytest.raises(LoadingError, match="in one XML file"):
        extract(b'<p:package xmlns:p="http://schemas.microsoft.com/office/2006/xmlPackage"/>')
