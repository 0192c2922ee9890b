"""Tests of headers and footers of pages in plain text."""

from __future__ import annotations

import pytest

from index.text.page_lines import page_lines
from index.text.plain_text import plain_structure

MANUAL = """\
GATECTL(1)                    Gate Manual                    GATECTL(1)

NAME
       gatectl - open and close gates

SEE ALSO
       See also gate(5) and gated(8).

gate 3.2                     September 2026                  GATECTL(1)
"""
RFC = (
    "Gate Working Group                                        A. Berg\n\n"
    "   A gate opens.\n\n"
    "Berg                     Standards Track                    [Page 1]\n"
    "\f\nRFC 9999                       Gates                     March 2026\n\n"
    "   A gate closes.\n\n"
    "Berg                     Standards Track                    [Page 2]\n"
    "\f\nRFC 9999                       Gates                     March 2026\n\n"
    "   A gate rests.\n"
)


@pytest.mark.parametrize(
    ("text", "left", "out"),
    [
        (MANUAL, ["gatectl - open", "gated(8)"], ["Gate Manual", "September 2026"]),
        (RFC, ["A. Berg", "opens", "closes", "rests"], ["Standards Track", "RFC 9999"]),
    ],
)
def test_they_are_in_no_block(text: str, left: list[str], out: list[str]) -> None:
    shown = " ".join(text[block.start : block.end] for block in plain_structure(text).blocks)

    assert all(each in shown for each in left)
    assert not any(each in shown for each in out)


@pytest.mark.parametrize(
    "text",
    [
        "The price list\n\nLamp       12     9\n",
        "See [Page 3] of it, or page 4.\n",
        "\fChapter 1   Gates\n\nText.\n\n\fChapter 2   Doors\n\nText.\n",
        "GATECTL(1) opens gates. See also GATECTL(1)\n\nText by GATECTL(1)\n",
        "",
    ],
)
def test_other_lines_are_no_page_lines(text: str) -> None:
    assert page_lines(text) == frozenset()
