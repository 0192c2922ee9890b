"""What is typed in Slack, within which tags it is asked, and how the documents are listed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InvalidTag
from index.store.snapshot import Snapshot
from qa.errors import InvalidQuestion, UnknownTag
from qa.interfaces.slack.channel_scope import chosen
from qa.interfaces.slack.commands import asked
from qa.interfaces.slack.document_list import MAX_LISTED, documents_post
from qa.library.library import index_paths
from tests.support.block_kit import faults, texts
from tests.support.fakes import RecordingReporter
from tests.support.serving import carded, settings_in, write_files

NAMES = st.lists(st.sampled_from(["board", "harbour", "sea", "two words"]), unique=True, max_size=3)


@pytest.mark.parametrize(
    ("text", "question", "tags"),
    [
        ("How deep is it?", "How deep is it?", ()),
        ("--in harbour How deep is it?", "How deep is it?", ("harbour",)),
        ("  —in Harbour  How deep is it?", "How deep is it?", ("harbour",)),
        ("–in=harbour --IN sea How deep?", "How deep?", ("harbour", "sea")),
        ('--in "two  words" —in “the sea” How deep?', "How deep?", ("the sea", "two words")),
        ("How deep is it? --in harbour —in sea", "How deep is it?", ("harbour", "sea")),
        ("--in harbour\nHow deep\nis it?", "How deep\nis it?", ("harbour",)),
        (
            "What does --in harbour do in a question?",
            "What does --in harbour do in a question?",
            (),
        ),
        ("--inside what?", "--inside what?", ()),
        ("documents", None, ()),
        ("  Documents ", None, ()),
        ("documents harbour", None, ("harbour",)),
        ('documents "two words" --in sea', None, ("sea", "two words")),
        ("documents --in harbour", None, ("harbour",)),
        ("--in harbour documents", None, ("harbour",)),
        ("documents about the harbour?", "documents about the harbour?", ()),
        ("Which documents", "Which documents", ()),
        ("", "", ()),
    ],
)
def test_what_is_typed_is_a_question_or_a_look_at_the_documents_with_tags(
    text: str, question: str | None, tags: tuple[str, ...]
) -> None:
    found = asked(text)
    assert (found.question, found.tags) == (question, tags)


@pytest.mark.parametrize(
    "text", ["--in", "—in ", "--in harbour", '--in "two words How deep?', '--in sea --in "harbour"']
)
def test_in_without_a_tag_or_a_question_says_how(text: str) -> None:
    with pytest.raises(
        InvalidQuestion, match="expected --in TAG and a question, like --in harbour How deep is it"
    ):
        asked(text)


def test_what_is_no_tag_is_said_so() -> None:
    for text in ("--in harbour,sea How deep?", '--in "" How deep?', f"documents {'x' * 65}"):
        with pytest.raises(InvalidTag, match="expected a tag of 1 to 64"):
            asked(text)


@given(st.text(alphabet='abin-—"“” =\n\td', max_size=40))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        found = asked(text)
    except (InvalidQuestion, InvalidTag):
        return
    assert found.question is None or found.question in text
    assert found.tags or found.question == text.strip() or text.strip().lower() == "documents"


@given(NAMES, NAMES, NAMES.filter(bool), NAMES)
def test_a_limited_channel_never_looks_elsewhere_nor_hears_of_other_tags(
    given_tags: list[str], before: list[str], allowed: list[str], known: list[str]
) -> None:
    try:
        found = chosen(given_tags, before, allowed, known)
    except UnknownTag as error:
        said = (
            str(error).rpartition(", got ")[0]
            if "got" in str(error)
            else str(error).partition(": ")[2]
        )
        assert not [each for each in {*known} - {*allowed} if each in said]
        return
    assert found
    assert {*found} <= {*allowed} & {*known}
    assert found == given_tags or not given_tags


@pytest.mark.parametrize(
    ("given_tags", "before", "allowed", "found"),
    [
        ((), (), (), []),
        ((), ("harbour",), (), ["harbour"]),
        (("sea",), ("harbour",), (), ["sea"]),
        ((), (), ("harbour", "empty"), ["harbour"]),
        ((), ("sea",), ("harbour", "sea"), ["sea"]),
        ((), ("board",), ("harbour", "sea"), ["harbour", "sea"]),
        (("sea",), (), ("harbour", "sea"), ["sea"]),
    ],
)
def test_the_tags_are_those_given_else_the_threads_else_the_channels(
    given_tags: Sequence[str], before: Sequence[str], allowed: Sequence[str], found: list[str]
) -> None:
    assert chosen(given_tags, before, allowed, ["board", "harbour", "sea"]) == found


def test_a_refused_tag_is_named_with_those_that_there_are() -> None:
    known = ["board", "harbour", "sea"]
    for given_tags, allowed, said in (
        (("pier",), (), "no document has the tag 'pier': the tags are board, harbour, sea"),
        (
            ("board",),
            ("harbour", "sea"),
            "this channel is asked within harbour, sea only, got 'board'",
        ),
        (("empty",), ("empty", "sea"), "no document has the tag 'empty': the tags are sea"),
        (
            (),
            ("empty",),
            "this channel is asked within empty only, and no document has such a tag yet",
        ),
    ):
        with pytest.raises(UnknownTag) as refused:
            chosen(given_tags, (), allowed, known)
        assert str(refused.value) == said


def test_documents_are_listed_with_their_tags_some_of_them_within_slacks_limits(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    for folder, tags, count in (
        ("harbour", ("harbour", "<!channel>"), MAX_LISTED + 3),
        ("board", ("board",), 2),
    ):
        write_files(
            tmp_path / folder,
            {
                f"{folder}{number:02}.txt": f"The depth {number} is known. " * 20
                for number in range(count)
            },
        )
        index_paths(settings, carded(), [tmp_path / folder], RecordingReporter(), tags=tags)
    snapshot = Snapshot(settings.data)

    everything = documents_post(snapshot, (), (), "https://qa.example.org")
    assert faults(everything.blocks) == []
    said = texts(everything.blocks)
    assert (said[0], said[-2:]) == (
        f"{MAX_LISTED + 5} documents",
        [
            "and 5 more",
            f"Tags: <!channel> ({MAX_LISTED + 3}), board (2), harbour ({MAX_LISTED + 3})",
        ],
    )
    assert "<!channel>" not in everything.text
    [listed] = everything.blocks[1]["elements"]
    assert len(listed["elements"]) == MAX_LISTED
    assert listed["elements"][0]["elements"][0]["url"].startswith("https://qa.example.org/read/")
    assert " · board00.txt · 4 passages · #board" in "".join(texts(listed["elements"][0]))

    limited = documents_post(snapshot, (), ("board", "none"), "")
    assert texts(limited.blocks)[0] == "2 documents in board"
    assert texts(limited.blocks)[-1] == "Tags: board (2)"
    assert "harbour" not in limited.text
    assert (
        texts(documents_post(snapshot, ("harbour",), (), "").blocks)[0]
        == f"{MAX_LISTED + 3} documents in harbour"
    )
    with pytest.raises(UnknownTag):
        documents_post(snapshot, ("harbour",), ("board",), "")
