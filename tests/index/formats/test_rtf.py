"""Footnotes, pictures, comments and hidden text of Rich Text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.rtf import extract
from index.formats.rtf_groups import rearranged


def text_of(body: str) -> str:
    """Return the text of a file with a body."""
    head = r"{\rtf1\ansi\ansicpg1252{\colortbl;\red255\green255\blue255;\red0\green0\blue0;}\pard "
    return extract(f"{head}{body}}}".encode("latin-1")).text


@pytest.mark.parametrize(
    "picture",
    [
        r"{\pict\pngblip 89504e470d0a1a0a}",
        r"{\*\shppict{\pict\jpegblip\bin5 }{}\{x}}",
        r"{\pict\wmetafile8 0}",
        r"{\object{\*\objdata 0105}{\result{\pict\wmetafile8 01}}}",
    ],
)
def test_the_text_around_a_picture(picture: str) -> None:
    assert text_of(rf"The seal is blue.\par {picture}\par The valve is red.\par") == (
        "The seal is blue.\n\nThe valve is red."
    )


def test_footnotes_follow_their_paragraph() -> None:
    note = r"\chftn {\footnote \pard\plain {\up6\chftn }A complete bibliography.}"

    assert text_of(rf"Amply annotated.{note} More.\par Next.\par") == (
        "Amply annotated. More.\n\nA complete bibliography.\n\nNext."
    )
    assert text_of(rf"{{\up6 Inside a group.{note}}}") == (
        "Inside a group.\n\nA complete bibliography."
    )


def test_notes_in_a_table_follow_its_row() -> None:
    row = r"\trowd\cellx1\cellx2 Port{\footnote \pard A note.}\cell Height\cell\row "

    assert text_of(row + r"\pard After.\par") == "Port: Height\n\nA note.\n\nAfter."


def test_comments_stand_under_a_heading_of_their_own() -> None:
    comment = r"{\*\atnauthor Ann}\chatn{\*\annotation \pard\plain Is it 490?}"

    assert text_of(rf"It costs 480.{comment}\par") == "It costs 480.\n\nComments\n\nIs it 490?"


@pytest.mark.parametrize(
    "hidden",
    [
        r"{\v Floor 310.}",
        r"\v Floor 310.\v0 ",
        r"{\cf1 Floor 310.}",
        r"{\fs2 Floor 310.}",
        r"{\deleted Floor 310.}",
    ],
)
def test_text_that_a_reader_cannot_see(hidden: str) -> None:
    assert text_of(rf"It costs 480. {hidden}Good.\par") == "It costs 480. Good."


def test_white_text_on_a_dark_ground_is_seen() -> None:
    assert text_of(r"{\cf1\cb2 White on black.}\par") == "White on black."


@given(st.text(alphabet="\\{}* bvpicfotne1'\n", max_size=60))
def test_any_source_is_rearranged(source: str) -> None:
    rearranged(source)


@pytest.mark.parametrize("colours", ["", ";"])
def test_text_is_seen_whatever_colour_comes_first(colours: str) -> None:
    source = f"{{\\rtf1{{\\colortbl{colours}\\red0\\green0\\blue0;\\red9\\green9\\blue9;}}Seen. "
    source += "{\\cf1 Also.}{\\cf1\\highlight0 Last.}}"

    extracted = extract(source.encode())

    assert extracted.text == "Seen. Also.Last."
    assert extracted.remark == ""


def test_a_mark_of_a_destination_inside_a_group_hides_nothing() -> None:
    source = rb"{\rtf1{\*\generator x;}{\b0\*\cs7 The pump} {\*\cs7 unseen}is new.}"

    assert extract(source).text == "The pump is new."
