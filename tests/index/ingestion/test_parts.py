"""Documents inside a file: they come, change, move and go with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest

from index.document import part_id, part_uri, split_uri
from index.ingestion.ingest import ingest
from index.ingestion.report import Summary
from index.store.document_moves import Moves
from index.store.document_row import damaged_documents
from index.store.limited_snapshot import LimitedSnapshot
from index.store.repair import document_issues
from index.store.schema import connect
from index.store.snapshot import DocumentInfo, SqliteSnapshot
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter

TEXTS = ("The boat costs 80 euros.", "The deposit is 450 euros.", "The key hangs in the hall.")


def mail(subject: str, text: str, *inside: EmailMessage) -> EmailMessage:
    """Return a mail with mails inside it."""
    message = EmailMessage()
    message["From"], message["Subject"] = "ann@example.org", subject
    message.set_content(text)
    for each in inside:
        message.add_attachment(each)
    return message


def write_mail(path: Path, texts: Sequence[str] = TEXTS) -> None:
    """Write a mail with others inside it, one in the other."""
    message = None
    for number, text in reversed(list(enumerate(texts))):
        message = mail(f"Number {number}", text, *([message] if message else []))
    assert message is not None
    path.write_bytes(message.as_bytes())


def index(store: Store, corpus: Path, *, prune: bool = False) -> Summary:
    """Bring a store up to date with a folder."""
    return ingest([corpus], store, FakeEncoder(), RecordingReporter(), prune=prune, yes=True)


def listed(store: Store) -> list[DocumentInfo]:
    """Return the documents of a store by uri."""
    with closing(SqliteSnapshot(store.folder)) as snapshot:
        return snapshot.documents()


def test_each_mail_is_a_document_of_its_own(store: Store, corpus: Path) -> None:
    write_mail(corpus / "a.eml")

    [outcome] = index(store, corpus).outcomes

    outer, inner, inmost = listed(store)
    assert (outcome.status, outcome.document_id) == ("added", outer.id)
    assert [each.uri for each in (outer, inner, inmost)] == ["a.eml", "a.eml#1", "a.eml#1.1"]
    assert [each.title for each in (outer, inner, inmost)] == ["Number 0", "Number 1", "Number 2"]
    assert (outer.part_of, inner.part_of, inmost.part_of) == (None, outer.id, outer.id)
    assert len({outer.sha256, inner.sha256, inmost.sha256}) == 1
    with closing(SqliteSnapshot(store.folder)) as snapshot:
        for info, text in zip((outer, inner, inmost), TEXTS, strict=True):
            document = snapshot.excerpt(info.id, 0, info.characters)
            assert [words in document.text for words in TEXTS] == [words == text for words in TEXTS]
            assert info.chunks > 0
            assert snapshot.file(info.id).path == corpus / "a.eml"
            assert snapshot.file(info.id).stamp == snapshot.file(outer.id).stamp
        assert snapshot.document(inmost.id).places.at(0).mail == "1 (Number 1) > 1 (Number 2)"
    assert index(store, corpus).count("unchanged") == 1
    assert listed(store) == [outer, inner, inmost]


@pytest.fixture
def moves() -> list[tuple[str, str]]:
    """Return the moves that a store tells its followers."""
    return []


@pytest.fixture
def erased() -> list[str]:
    """Return the documents of which a store says that it deletes them."""
    return []


@pytest.fixture
def followed(data: Path, moves: list[tuple[str, str]], erased: list[str]) -> Iterator[Store]:
    """Return a store with followers."""
    with Store(data, erased.extend, lambda old, new: moves.append((old, new))) as store:
        yield store


def test_parts_are_replaced_with_their_file(
    followed: Store, corpus: Path, erased: list[str]
) -> None:
    store = followed
    write_mail(corpus / "a.eml")
    index(store, corpus)
    _, inner, inmost = listed(store)
    write_mail(corpus / "a.eml", ("New text.", "New text inside."))

    assert index(store, corpus).count("updated") == 1

    assert [each.uri for each in listed(store)] == ["a.eml", "a.eml#1"]
    assert listed(store)[1].id == inner.id
    assert erased == [inmost.id]
    with closing(SqliteSnapshot(store.folder)) as snapshot:
        texts = [snapshot.chunk(row).text for row in range(snapshot.size)]
    assert not any(words in text for text in texts for words in TEXTS)


def test_parts_go_with_their_file(store: Store, corpus: Path) -> None:
    write_mail(corpus / "a.eml")
    write_mail(corpus / "a.eml.eml", ("Another file, whose name begins alike.",))
    index(store, corpus)
    (corpus / "a.eml").unlink()

    assert index(store, corpus, prune=True).count("removed") == 1

    assert [each.uri for each in listed(store)] == ["a.eml.eml"]


def test_parts_move_with_their_file(
    followed: Store, corpus: Path, moves: list[tuple[str, str]]
) -> None:
    store = followed
    write_mail(corpus / "a.eml")
    index(store, corpus)
    before = listed(store)
    store.tags.add([before[0].id], ["boats"])
    (corpus / "a.eml").rename(corpus / "b.eml")

    assert index(store, corpus, prune=True).count("moved") == 1

    after = listed(store)
    assert [each.uri for each in after] == ["b.eml", "b.eml#1", "b.eml#1.1"]
    assert [each.tags for each in after] == [("boats",)] * 3
    assert moves == [(old.id, new.id) for old, new in zip(before, after, strict=True)]


def test_a_move_that_was_cut_off_is_taken_back_for_all_parts(
    data: Path, followed: Store, moves: list[tuple[str, str]]
) -> None:
    with closing(connect(data)) as db:
        Moves(db, lambda old, new: moves.append((old, new))).begin([("a", "b"), ("a1", "b1")])

    with followed.writing():
        pass

    assert moves == [("a", "b"), ("a1", "b1"), ("b", "a"), ("b1", "a1")]


def test_parts_have_the_tags_of_their_file(store: Store, corpus: Path) -> None:
    write_mail(corpus / "a.eml")
    index(store, corpus)
    outer, *_ = listed(store)
    store.tags.add([outer.id], ["boats"])
    assert {each.tags for each in listed(store)} == {("boats",)}

    write_mail(corpus / "a.eml", (*TEXTS, "One more."))
    index(store, corpus)
    assert [each.tags for each in listed(store)] == [("boats",)] * 4
    with closing(SqliteSnapshot(store.folder)) as snapshot:
        assert LimitedSnapshot(snapshot, ["boats"]).document_count == 4

    store.tags.replace(outer.id, ["sea"])
    assert {each.tags for each in listed(store)} == {("sea",)}
    with closing(SqliteSnapshot(store.folder)) as snapshot:
        assert LimitedSnapshot(snapshot, ["boats"]).document_count == 0


def test_parts_share_the_state_of_their_file(store: Store, corpus: Path) -> None:
    write_mail(corpus / "a.eml")
    index(store, corpus)
    (corpus / "a.eml").write_bytes(b"")

    assert index(store, corpus).count("kept") == 1

    assert [each.state for each in listed(store)] == ["changed"] * 3


def test_mails_with_one_subject_are_no_versions_of_each_other(store: Store, corpus: Path) -> None:
    mails = [mail("Price list", f"The boat costs {price} euros a day.") for price in (80, 90)]
    (corpus / "prices v2 2026.eml").write_bytes(mail("FW", "Both.", *mails).as_bytes())
    index(store, corpus)

    with closing(SqliteSnapshot(store.folder)) as snapshot:
        assert snapshot.families_of(snapshot.document_ids) == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_part_is_repaired_from_its_file(
    store: Store, corpus: Path, data: Path, number: int
) -> None:
    write_mail(corpus / "a.eml")
    index(store, corpus)
    before = listed(store)
    with closing(connect(data)) as db:
        db.execute(
            "UPDATE text_blocks SET text = upper(text) WHERE document_id = ?", (before[number].id,)
        )
        [issue] = document_issues(data, db)
        assert issue.repair is not None

        issue.repair()

        assert list(damaged_documents(db)) == []
    assert [each.title for each in listed(store)] == [each.title for each in before]


def test_uris_of_parts() -> None:
    assert split_uri(part_uri("a b/mail#1.eml", "2.1")) == ("a b/mail#1.eml", "2.1")
    assert split_uri("a b/mail#1.eml") == ("a b/mail#1.eml", "")
    assert part_id("a", "1") != part_id("a", "2")
