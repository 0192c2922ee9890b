"""Typed requests, the tags that they search within, and the list of documents."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InvalidTag
from index.store.snapshot import SqliteSnapshot
from qa.errors import InvalidQuestion, UnknownTag
from qa.interfaces.slack.channel_scope import tags_to_search
from qa.interfaces.slack.commands import parse_request
from qa.interfaces.slack.document_list import MAX_LISTED, documents_message
from qa.library.documents import index_paths
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
def test_a_typed_request_is_a_question_or_a_list_of_documents_with_tags(
    text: str, question: str | None, tags: tuple[str, ...]
) -> None:
    request = parse_request(text)
    assert (request.question, request.tags) == (question, tags)


@pytest.mark.parametrize(
    "text", ["--in", "—in ", "--in harbour", '--in "two words How deep?', '--in sea --in "harbour"']
)
def test_in_without_a_tag_or_a_question_shows_the_usage(text: str) -> None:
    with pytest.raises(
        InvalidQuestion, match="expected --in TAG and a question, like --in harbour How deep is it"
    ):
        parse_request(text)


def test_an_invalid_tag_is_refused() -> None:
    for text in ("--in harbour,sea How deep?", '--in "" How deep?', f"documents {'x' * 65}"):
        with pytest.raises(InvalidTag, match="expected a tag of 1 to 64"):
            parse_request(text)


@given(st.text(alphabet='abin-—"“” =\n\td', max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        request = parse_request(text)
    except (InvalidQuestion, InvalidTag):
        return
    assert request.question is None or request.question in text
    assert request.tags or request.question == text.strip() or text.strip().lower() == "documents"


@given(NAMES, NAMES, NAMES.filter(bool), NAMES)
def test_a_limited_channel_never_searches_or_names_other_tags(
    requested: list[str], inherited: list[str], allowed: list[str], known: list[str]
) -> None:
    try:
        tags = tags_to_search(requested, inherited, allowed, known)
    except UnknownTag as error:
        message = str(error)
        # The refused tag itself may be named: it comes before this part.
        shown = message.partition(", but " if ", but " in message else ": ")[2]
        assert not [each for each in {*known} - {*allowed} if each in shown]
        return
    assert tags
    assert {*tags} <= {*allowed} & {*known}
    assert tags == requested or not requested


@pytest.mark.parametrize(
    ("requested", "inherited", "allowed", "expected"),
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
def test_tags_are_the_requested_or_the_threads_or_the_channels(
    requested: Sequence[str], inherited: Sequence[str], allowed: Sequence[str], expected: list[str]
) -> None:
    assert tags_to_search(requested, inherited, allowed, ["board", "harbour", "sea"]) == expected


def test_an_error_names_the_refused_tag_and_the_known_ones() -> None:
    known = ["board", "harbour", "sea"]
    for requested, allowed, expected in (
        (("pier",), (), "no document has the tag 'pier': the tags are board, harbour, sea"),
        (
            ("board",),
            ("harbour", "sea"),
            "got the tag 'board', but this channel is limited to harbour, sea",
        ),
        (("empty",), ("empty", "sea"), "no document has the tag 'empty': the tags are sea"),
        (
            (),
            ("empty",),
            "no document has a tag of this channel yet: it is limited to empty",
        ),
    ):
        with pytest.raises(UnknownTag) as refused:
            tags_to_search(requested, (), allowed, known)
        assert str(refused.value) == expected


@pytest.fixture(scope="module", name="snapshot")
def tagged_snapshot(tmp_path_factory: pytest.TempPathFactory) -> SqliteSnapshot:
    """Return a snapshot of more documents than are listed, with tags."""
    base = tmp_path_factory.mktemp("tagged")
    settings = settings_in(base)
    for folder, tags, count in (
        ("harbour", ("harbour", "<!channel>"), MAX_LISTED + 3),
        ("board", ("board",), 2),
    ):
        files = {
            f"{folder}{number:02}.txt": f"The depth {number} is known. " * 20
            for number in range(count)
        }
        write_files(base / folder, files)
        index_paths(settings, carded(), [base / folder], RecordingReporter(), tags=tags)
    return SqliteSnapshot(settings.data)


def test_documents_are_listed_with_tags_within_slacks_limits(snapshot: SqliteSnapshot) -> None:
    everything = documents_message(snapshot, (), (), "https://qa.example.org")
    assert faults(everything.blocks) == []
    shown = texts(everything.blocks)
    assert (shown[0], shown[-2:]) == (
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


def test_a_limited_channel_lists_its_own_documents_and_tags(snapshot: SqliteSnapshot) -> None:
    limited = documents_message(snapshot, (), ("board", "none"), "")
    assert texts(limited.blocks)[0] == "2 documents in board"
    assert texts(limited.blocks)[-1] == "Tags: board (2)"
    assert "harbour" not in limited.text
    with pytest.raises(UnknownTag):
        documents_message(snapshot, ("harbour",), ("board",), "")


def test_documents_are_listed_by_tag(snapshot: SqliteSnapshot) -> None:
    listed = documents_message(snapshot, ("harbour",), (), "")

    assert texts(listed.blocks)[0] == f"{MAX_LISTED + 3} documents in harbour"
