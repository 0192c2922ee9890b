"""Versions in the store: found among what has changed, as if all documents were compared."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.store.document_versions import (
    Neighbourhood,
    neighbourhood,
    relate,
    same_versions,
    stored_versions,
)
from index.store.schema import FILE_NAME
from index.store.store import Store
from index.text.versions import VersionTraits, find_versions, traits_from_json
from tests.support.stored import put

WORDS = " ".join(f"word{number} of the rules" for number in range(30))
NAMES = [
    f"{folder}/{name}"
    for folder in ("a", "b")
    for name in ("rules v1.md", "rules v2.md", "rules.md", "other old.md", "plan A1.md", "list.md")
]
TEXTS = [
    f"# Rules\n\nVersion 1.\n\n{WORDS}",
    f"# Rules\n\nVersion 2.\n\n{WORDS}",
    "# Plan A1\n\nThis replaces section 3 of version 2 of the house rules.",
    "# House rules\n\nVersion 2. It supersedes A1.",
    "# House rules\n\nVersion 3, 4 March 2026. Superseded by A2.",
    "# Plan A2\n\nIt supersedes the house rules version 2 and A1.",
    "One line that says nothing.",
]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "remove", "relate"]),
        st.sampled_from(NAMES),
        st.sampled_from(TEXTS),
    ),
    max_size=25,
)


@pytest.fixture(autouse=True, params=[300, 2])
def largest_family(request: pytest.FixtureRequest) -> Iterator[None]:
    """The limit of documents that are compared, and one that is passed all the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("index.text.versions", "index.store.document_versions"):
            patch.setattr(f"{module}.MAX_FAMILY", request.param)
        yield


def all_traits(db: sqlite3.Connection) -> dict[str, VersionTraits]:
    """Return the traits of all documents."""
    rows = db.execute("SELECT document_id, traits FROM version_traits ORDER BY document_id")
    return {each: traits_from_json(text) for each, text in rows}


@settings(max_examples=12)
@given(changes=CHANGES)
def test_what_has_changed_is_related_as_all_documents_are(
    changes: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as name, Store(Path(name)) as store:
        put(store, TEXTS[0], "first.md")
        store.relate_versions()
        ids: dict[str, str] = {}
        for change, path, text in [*changes, ("relate", "", "")]:
            if change == "put":
                ids[path] = put(store, text, path)
            elif change == "remove" and path in ids:
                store.remove([ids.pop(path)])
            else:
                store.relate_versions()
        with closing(sqlite3.connect(Path(name, FILE_NAME))) as db:
            traits = all_traits(db)
            assert same_versions(stored_versions(db, traits), find_versions(traits))
            visible = set(sorted(traits)[::2])
            wanted = {each: traits[each] for each in visible}
            found = neighbourhood(
                lambda sql, *values: db.execute(sql, values).fetchall(), visible, visible
            )
            assert same_versions(found.versions(), find_versions(wanted))


def test_only_the_neighbours_of_a_change_are_looked_at(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[set[str]] = []

    def noted(db: sqlite3.Connection) -> Neighbourhood:
        found = relate(db)
        looked.append(set(found.traits))
        return found

    monkeypatch.setattr("index.store.store.relate", noted)
    others = [put(store, f"Text {number} of its own kind.", f"{number}.md") for number in range(9)]
    older, newer = (put(store, f"Rules, version {each}.", f"rules v{each}.md") for each in (1, 2))
    store.relate_versions()
    put(store, "Rules, the second version.", "rules v2.md")
    store.relate_versions()
    store.remove([older])

    assert looked == [{*others, older, newer}, {older, newer}, {newer}]
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        assert stored_versions(db, [newer]).documents == ()
