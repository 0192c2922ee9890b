"""Tags: how they are written, how long they stay, and what they choose."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InvalidTag
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from index.tags import MAX_TAG, MAX_TAGS, tag_of, tags_of, valid_tags
from index.text.markdown import markdown_structure
from qa.bootstrap import load_pipeline
from qa.errors import UnknownDocumentId, UnknownTag
from qa.library.documents import index_paths, list_documents
from qa.settings import Settings
from qa.verification.audit_bundle import bundle_of
from tests.index.ingestion.test_watcher import Desk
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import carded, settings_in, write_files


@given(st.text(alphabet=st.characters(), max_size=100))
def test_a_tag_is_found_however_it_is_typed_or_refused(text: str) -> None:
    try:
        tag = tag_of(text)
    except InvalidTag as error:
        assert "expected a tag" in str(error)  # noqa: PT017
        assert valid_tags([text, "fine"]) == ("fine",)
    else:
        assert 1 <= len(tag) <= MAX_TAG
        assert tag_of(f"  {tag.upper()}\t") in {tag, tag_of(tag.upper())}
        assert tag_of(tag) == tag


@pytest.mark.parametrize(
    "text", ["", "  ", "a,b", "a\0", "x" * (MAX_TAG + 1), "\ud800", "a\u202eb"]
)
def test_what_is_no_tag(text: str) -> None:
    with pytest.raises(InvalidTag, match="expected a tag of 1 to 64"):
        tag_of(text)


def test_many_tags_are_refused_and_equal_ones_are_one() -> None:
    assert tags_of(["B", " b ", "A"]) == ("a", "b")
    with pytest.raises(InvalidTag, match="at most 32"):
        tags_of(map(str, range(MAX_TAGS + 1)))


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ("tags: [Travel, '2026', 'a,b', '']", ("2026", "a", "b", "travel")),
        ("tags:\n  - one\n  - two words", ("one", "two words")),
        ("tags: red, Blue", ("blue", "red")),
        ("tags:", ()),
        ("tags: {a: b}", ()),
        ("tags: [[a], {b: c}, d]", ("d",)),
        ("tags: &a [x]\nother: *a", ("x",)),
        ("title: T", ()),
    ],
)
def test_front_matter(field: str, tags: tuple[str, ...]) -> None:
    assert markdown_structure(f"---\n{field}\n---\n# H\n\nText.").tags == tags


def index(settings: Settings, folder: Path, *tags: str, prune: bool = False) -> None:
    """Index a folder."""
    index_paths(settings, carded(), [folder], RecordingReporter(), tags=tags, prune=prune, yes=True)


def tags_in(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return the tags of each document by its uri."""
    return {each.uri: each.tags for each in list_documents(settings)}


def test_given_tags_stay_when_a_document_changes_and_own_tags_follow_its_text(
    tmp_path: Path, corpus: Path
) -> None:
    settings = settings_in(tmp_path)
    write_files(corpus, {"a.md": "---\ntags: [first]\n---\nBread rises.", "b.txt": "Ships sail."})
    index(settings, corpus, "Mine")
    assert tags_in(settings) == {"a.md": ("first", "mine"), "b.txt": ("mine",)}

    write_files(
        corpus,
        {"a.md": "---\ntags: [second, mine]\n---\nBread rises still.", "c.txt": "Iron rusts."},
    )
    index(settings, corpus)
    assert tags_in(settings) == {"a.md": ("mine", "second"), "b.txt": ("mine",), "c.txt": ()}

    (corpus / "a.md").rename(corpus / "d.md")
    index(settings, corpus, prune=True)
    assert tags_in(settings) == {"b.txt": ("mine",), "c.txt": (), "d.md": ("mine", "second")}

    (corpus / "b.txt").unlink()
    index(settings, corpus, prune=True)
    write_files(corpus, {"b.txt": "Ships sail."})
    index(settings, corpus)
    assert tags_in(settings)["b.txt"] == ()
    assert SqliteSnapshot(settings.data).tags().keys() == {"mine", "second"}


def test_what_is_in_a_watched_folder_and_what_appears_there_is_tagged_once(
    corpus: Path, store: Store
) -> None:
    desk = Desk(corpus, store)
    desk.write("old.txt")
    desk.settle()
    desk.tags = ("sea",)
    desk.watcher = desk.again()
    desk.write("new.txt", "old.txt", text="Another text of {}.")
    desk.settle()

    def tags() -> dict[str, tuple[str, ...]]:
        with closing(SqliteSnapshot(store.folder)) as snapshot:
            return {each.uri: each.tags for each in snapshot.documents()}

    assert tags() == {"new.txt": ("sea",), "old.txt": ("sea",)}
    store.tags.replace(store.find("new.txt").document_id, [])
    desk.write("new.txt", text="What was taken off stays off: {}.")
    (corpus / "old.txt").rename(corpus / "moved.txt")
    desk.settle()
    assert tags() == {"new.txt": (), "moved.txt": ("sea",)}


def test_a_question_a_search_and_a_list_are_limited_to_them(tmp_path: Path, corpus: Path) -> None:
    settings = settings_in(tmp_path, min_confidence=0.0)
    for name, word in (("red", "oven"), ("blue", "stove"), ("grey", "kiln")):
        write_files(corpus / name, {f"{name}.txt": f"The bread is baked in the {word}."})
        index(settings, corpus / name, name)
    pipeline = load_pipeline(settings, carded(), SharedWordsReader())
    question = "Where is the bread baked?"

    for tags in (["red"], ["BLUE"], ["red", "grey"]):
        uris = {f"{tag.lower()}.txt" for tag in tags}
        answer = pipeline.ask(question, tags=tags)
        assert {
            each.uri
            for span in (*answer.spans, *answer.alternatives)
            for each in (span.citation, *span.further)
        } == uris
        assert {passage.uri for passage in pipeline.search(question, top_k=9, tags=tags)} == uris
        assert {each.uri for each in list_documents(settings, tags)} == uris

    [red, *_] = list_documents(settings, ["red"])
    assert (
        pipeline.ask(question, documents=[red.id], tags=["red", "blue"]).citations[0].uri
        == "red.txt"
    )
    nothing = pipeline.ask(question, documents=[red.id], tags=["blue"])
    assert nothing.refusal
    assert nothing.refusal.searched.documents == 0
    with pytest.raises(
        UnknownTag, match="no document has the tag 'green': the tags are blue, grey, red"
    ):
        pipeline.ask(question, tags=["red", "green"])
    with pytest.raises(UnknownDocumentId):
        pipeline.ask(question, documents=["nothing"], tags=["red"])
    with pytest.raises(InvalidTag):
        pipeline.search(question, top_k=1, tags=[""])


def test_an_audit_bundle_holds_the_passages_of_the_tags_that_were_asked_about(
    tmp_path: Path, corpus: Path
) -> None:
    settings = settings_in(tmp_path, min_confidence=0.0)
    for name in ("red", "blue"):
        write_files(corpus / name, {f"{name}.txt": f"The bread is baked in the {name} oven."})
        index(settings, corpus / name, name)
    pipeline = load_pipeline(settings, carded(), SharedWordsReader())

    bundle, _ = bundle_of(
        pipeline.ask("Where is the bread baked?", tags=["blue"]), pipeline, settings, tags=["blue"]
    )

    assert {passage["uri"] for passage in bundle.passages} == {"blue.txt"}
    assert bundle.context["settings"]["tags"] == ["blue"]
