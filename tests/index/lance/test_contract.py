"""Both stores keep what `index.store.contract` promises, and show the same."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.backend import Backend, limited_to
from index.errors import ModelMismatch, StoreCorrupt, UnknownDocument
from index.store.contract import Snapshot
from tests.support.fakes import FakeEncoder
from tests.support.stores import STORES, embedded_store, facts, facts_of, index_folder, shared_store

pytest.importorskip("lancedb")

FILES = {
    "tides-v1.txt": "The harbour of Ostrava is nine metres deep.\r\nIt's 2.7% salt at €25.\n",
    "tides-v2.txt": "The harbour of Ostrava is 12 metres deep. Version 2 replaces version 1.\n",
    "fees.md": (
        "---\ntitle: Fees\ntags: [money]\ndate: 2024-05-01\n---\n# Berths\n\n"
        "| Berth | Price |\n|---|---|\n| A'1 | 40 crowns |\n| B2 | 50 crowns |\n\n"
        "- pay at noon\n- bring CN-0147\n"
    ),
    "straße ü.txt": "Der Hafen ist nicht tief. L'été, the quay is closed.\n",
    "empty-title.md": "# \n\nA text without a name.\n",
}
TAGS = {"tides-v1.txt": ["harbour"], "fees.md": ["harbour", "board"]}


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Backend]:
    folder = tmp_path_factory.mktemp("stores")
    corpus = write(folder / "corpus", FILES)
    backends = {name: make(folder / name) for name, make in STORES.items()}
    for backend in backends.values():
        index_folder(backend, corpus, TAGS)
    return backends


@pytest.fixture(params=STORES)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return STORES[request.param](tmp_path)


@pytest.fixture(params=STORES)
def snapshot(request: pytest.FixtureRequest, built: dict[str, Backend]) -> Iterator[Snapshot]:
    with closing(built[request.param].open_snapshot()) as opened:
        opened.load()
        yield opened


def test_both_show_the_same(built: dict[str, Backend]) -> None:
    ours, theirs = facts_of(built["shared"]), facts_of(built["embedded"])

    for name in ours.keys() - {"words"}:
        assert ours[name] == theirs[name], name
    assert ours["counts"][0] == len(FILES)


def test_views_show_the_same(built: dict[str, Backend]) -> None:
    for tags in (["harbour"], ["board"], ["harbour", "board"], ["money"], ["nothing"]):
        shown = []
        for backend in built.values():
            with closing(backend.open_snapshot()) as snapshot:
                view = limited_to(snapshot, tags)
                shown.append({**facts(view), "words": None})
                hidden = {info.id for info in snapshot.documents()} - {
                    info.id for info in view.documents()
                }
                assert view.unknown_ids(sorted(hidden)) == sorted(hidden)
                for read in (view.document, view.document_info, view.file):
                    for document_id in hidden:
                        with pytest.raises(UnknownDocument):
                            read(document_id)
                terms = ["harbour", "crown", "metr", "nothing"]
                shown[-1]["terms"] = [view.lexical.holds(term) for term in terms]
        assert shown[0] == shown[1], tags


def test_pages_of_documents_follow_one_another(snapshot: Snapshot) -> None:
    everything = [(info.uri, info.id) for info in snapshot.documents()]
    found: list[tuple[str, str]] = []
    while page := snapshot.documents_after(found[-1] if found else None, 2):
        found += [(info.uri, info.id) for info in page]

    assert found == everything == sorted(everything)
    assert [i.uri for i in snapshot.documents_after(None, None, words="TIDES v2")] == [
        "tides-v2.txt"
    ]
    assert snapshot.count_documents(words="it's") == 0
    assert snapshot.count_documents(tags=["board", "nothing"]) == 1


def test_documents_are_found_by_their_names(snapshot: Snapshot) -> None:
    [file] = [file for file in snapshot.files() if file.uri == "straße ü.txt"]
    names = (file.uri, file.document_id, str(file.path), "straße u\u0308.txt")

    assert [snapshot.ids_called(name) for name in names] == [[file.document_id]] * 4
    assert snapshot.ids_called("no'thing \udcff") == []
    assert snapshot.is_indexed(file.path)
    assert [found.uri for found in snapshot.files_with(file.sha256)] == [file.uri]
    assert not snapshot.has_document("no'thing")
    assert not snapshot.has_document("\ud800")
    assert snapshot.unknown_ids([file.document_id, "x"]) == ["x"]


def test_rows_are_found_by_their_terms(snapshot: Snapshot) -> None:
    def texts(*terms: str) -> set[str]:
        return {snapshot.chunk(row).text for row in snapshot.lexical.rows_with_all(terms).tolist()}

    assert texts("harbour", "12")
    assert texts("2.7%") == texts("$25") | texts("25")
    assert texts() == texts("harbour", "nothing") == set()
    assert snapshot.lexical.holds("crown")
    assert not snapshot.lexical.holds("Harbour")
    rows = snapshot.rows
    assert len(rows) == snapshot.size
    assert sorted(set(snapshot.documents_of(rows.tolist()))) == sorted(snapshot.document_ids)


def test_a_generation_stays_as_it_was(backend: Backend, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", {"a.txt": "It rains.", "b.txt": "It snows."})
    index_folder(backend, corpus)
    before = backend.count_of()
    with closing(backend.open_snapshot()) as snapshot:
        snapshot.load()
        seen = facts(snapshot)
        write(corpus, {"a.txt": "It is dry now.", "c.txt": "It hails."})
        index_folder(backend, corpus)

        assert facts(snapshot) == seen
        snapshot.pause()
        assert not snapshot.resume()
    assert (before or 0) < (backend.count_of() or 0)
    texts = [text for text, *_ in facts_of(backend)["texts"]]
    assert texts == ["It is dry now.", "It snows.", "It hails."]


def test_nothing_is_written_for_files_that_have_not_changed(
    backend: Backend, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "corpus", FILES)
    index_folder(backend, corpus)
    before = backend.count_of()
    again = index_folder(backend, corpus)

    assert {outcome.status for outcome in again.outcomes} == {"unchanged"}
    assert backend.count_of() == before


def test_a_document_that_moves_keeps_its_tags(backend: Backend, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", FILES)
    index_folder(backend, corpus, TAGS)
    (corpus / "fees.md").rename(corpus / "prices.md")
    moved = index_folder(backend, corpus)

    assert [o.status for o in moved.outcomes if o.uri == "prices.md"] == ["moved"]
    tags = {i.uri: i.tags for i in backend.open_snapshot().documents()}
    assert tags["prices.md"] == ("board", "harbour", "money")
    assert "fees.md" not in tags


def test_tags_are_counted_and_replaced(backend: Backend, tmp_path: Path) -> None:
    index_folder(backend, write(tmp_path / "corpus", FILES), TAGS)
    before, tagged = backend.count_of(), backend.count_of("tagged")
    with backend.open_writer(lambda _: None, None) as store:
        fees = store.find("fees.md").document_id
        assert store.file_records.stamp(fees) == store.file_records.stamps()[fees]
        assert store.file_records.stamp("nothing") is None
        store.tags.add([fees, "nothing"], ["harbour"])
        assert backend.count_of("tagged") == tagged
        store.tags.replace(fees, ["sea"], within=["board"])
        assert store.tags.all_given()[fees] == {"harbour", "sea"}
        store.tags.replace(fees, [])
        assert fees not in store.tags.all_given()

    assert backend.count_of() == before
    assert (tagged or 0) < (backend.count_of("tagged") or 0)


def test_another_model_is_refused(backend: Backend, tmp_path: Path) -> None:
    index_folder(backend, write(tmp_path / "corpus", {"a.txt": "It rains."}))
    with backend.open_writer(lambda _: None, None) as store, store.writing():
        with pytest.raises(ModelMismatch):
            store.claim_model("other", "other")
        assert store.delete_all() == 1
        store.claim_model("other", "other")
    assert facts_of(backend)["counts"] == (0, 0, 0)


def test_vectors_are_known_before_their_chunks_are(backend: Backend) -> None:
    encoder = FakeEncoder()
    vectors = {encoder.vector_key(text): encoder.encode_queries([text])[0] for text in ("a", "b")}
    with backend.open_writer(lambda _: None, None) as store, store.writing():
        store.save_vectors(vectors)
        known = store.known_vectors([*vectors, b"other"])
        assert known.keys() == vectors.keys()
        for key, vector in vectors.items():
            np.testing.assert_allclose(known[key], vector, atol=1e-3)
        # The next ones of a long document: a run after this one was killed knows the first ones.
        store.save_vectors({encoder.vector_key("c"): encoder.encode_queries(["c"])[0]})
        with backend.open_writer(lambda _: None, None) as other:
            assert other.known_vectors(list(vectors)).keys() == vectors.keys()
        store.drop_unused_vectors()
        assert store.known_vectors([*vectors, encoder.vector_key("c")]) == {}


def test_a_document_that_was_removed_is_announced_first(backend: Backend, tmp_path: Path) -> None:
    index_folder(backend, write(tmp_path / "corpus", FILES))
    announced: list[str] = []
    with backend.open_writer(announced.extend, None) as store, store.writing():
        fees = store.find("fees.md").document_id
        store.remove([fees])
        assert store.file(fees) is None
        with pytest.raises(UnknownDocument):
            store.find("fees.md")
    assert announced == [fees]
    assert len(facts_of(backend)["texts"]) == len(FILES) - 1


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "rain", "snow 2.7%", "rain snow"])),
        min_size=2,
        max_size=4,
    )
)
@settings(max_examples=4, deadline=None)
def test_any_changes_leave_what_a_rebuild_makes(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("changes")
    corpus = write(folder / "corpus", {"z.txt": "It stays dry.\n"})
    changing = shared_store(folder / "changing")
    for name, text in changes:
        path = corpus / f"{name}.txt"
        if text:
            path.write_text(f"In {name} there is {text}.\n")
        else:
            path.unlink(missing_ok=True)
        index_folder(changing, corpus)
    rebuilt, embedded = shared_store(folder / "rebuilt"), embedded_store(folder / "embedded")
    for backend in (rebuilt, embedded):
        index_folder(backend, corpus)
    shown = [{**facts_of(each), "words": None} for each in (changing, rebuilt, embedded)]
    with closing(changing.open_snapshot()) as snapshot:
        terms = sum(row["length"] for row in snapshot.select("chunks", ["length"]))  # type: ignore[attr-defined]
        assert snapshot.manifest.terms == terms  # type: ignore[attr-defined]
    shutil.rmtree(folder)

    assert shown[0] == shown[1] == shown[2]


def test_damage_is_noticed_before_a_quote(built: dict[str, Backend]) -> None:
    with closing(built["shared"].open_snapshot()) as snapshot:
        document_id = snapshot.document_ids[0]
        row = snapshot._row

        def damaged(document: str, columns: list[str]) -> dict[str, object]:
            return {**row(document, columns), "text": "Other words."}

        snapshot._row = damaged  # type: ignore[attr-defined, method-assign]
        with pytest.raises(StoreCorrupt, match="other words"):
            snapshot.excerpt(document_id, 0, 4)
