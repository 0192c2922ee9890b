"""Audit bundles: one form, and any byte that is changed shows."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import InvalidAnswer
from qa.verification.audit_bundle import (
    Bundle,
    bundle_of,
    is_bundle,
    read_bundle,
    source_name,
    unpack,
)
from qa.verification.quote_check import passages_of, quotes_of, verify
from tests.support.serving import pipeline_of, settings_in

FILES: dict[str, str | bytes] = {
    "tide.txt": "The tide at Porto turns at six.",
    "bread.TXT": "Bread at Porto rises.",
}
SOURCE = b"The tide turns at six.\n"
SMALL = Bundle(
    {"answer": "six 🌊"},
    {"threshold": 0.5},
    [{"text": "x"}],
    {source_name(hashlib.sha256(SOURCE).hexdigest(), "a.txt"): SOURCE},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    with closing((pipeline := pipeline_of(folder, FILES, min_confidence=0.0)).snapshot):
        answer = pipeline.ask("When does the tide at Porto turn?")
        bundle, missing = bundle_of(answer, pipeline, settings_in(folder))
    assert missing == []
    return bundle


def test_a_bundle_is_read_as_it_was_written(made: Bundle) -> None:
    content = made.to_bytes()

    assert is_bundle(content)
    assert read_bundle(content).to_bytes() == content == made.to_bytes()
    assert {Path(name).suffix for name in made.sources} == {".txt"}
    assert set(made.sources.values()) == {str(text).encode() for text in FILES.values()}


def test_its_quotes_are_proved_without_the_index(made: Bundle, tmp_path: Path) -> None:
    bundle = read_bundle(made.to_bytes())
    quotes = [*quotes_of(bundle.answer), *passages_of(bundle.passages)]

    proofs = verify(quotes, unpack(bundle, tmp_path))

    assert {"answer", "passage"} <= {proof.role for proof in proofs}
    assert all(proof.proved for proof in proofs)


def test_it_tells_what_the_answer_depends_on_and_no_path(made: Bundle, tmp_path: Path) -> None:
    assert made.context["index"]["documents"] == len(FILES)
    assert made.context["models"]["reader_sha256"] == "fake words"[:4] + " reader"
    assert set(made.context["versions"]) >= {"quoted-qa", "openvino"}
    assert [passage["read"] for passage in made.passages] == [True] * len(made.passages)
    assert str(tmp_path.parent).encode() not in made.to_bytes()


def test_a_file_that_has_changed_is_named_and_left_out(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, FILES, min_confidence=0.0)
    with closing(pipeline.snapshot):
        answer = pipeline.ask("When does the tide at Porto turn?")
        (tmp_path / "corpus" / "tide.txt").write_text("Changed.")
        (tmp_path / "corpus" / "bread.TXT").unlink()
        bundle, missing = bundle_of(answer, pipeline, settings_in(tmp_path))
        without, none = bundle_of(answer, pipeline, settings_in(tmp_path), with_sources=False)

    assert (sorted(missing), none) == (["bread.TXT", "tide.txt"], [])
    assert bundle.sources == without.sources == {}


def test_every_single_bit_counts() -> None:
    content = SMALL.to_bytes()
    read_bundle(content)

    for at in range(len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[at] ^= 1 << bit
            with pytest.raises(InvalidAnswer):
                read_bundle(bytes(changed))


@given(at=st.integers(0, 10_000), removed=st.integers(0, 50), added=st.binary(max_size=50))
def test_nothing_can_be_taken_out_or_put_in(at: int, removed: int, added: bytes) -> None:
    content = SMALL.to_bytes()
    at %= len(content) + 1
    changed = content[:at] + added + content[at + removed :]

    if changed != content:
        with pytest.raises(InvalidAnswer):
            read_bundle(changed)


def _rewritten(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Zip the small bundle as another program does, with some members replaced or added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(SMALL.to_bytes())) as old,
        zipfile.ZipFile(target, "w", method) as new,
    ):
        for name in {**dict.fromkeys(old.namelist()), **members}:
            new.writestr(name, members.get(name, old.read(name) if name in old.namelist() else b""))
        new.comment = old.comment
    return target.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"answer.json": b'{"answer": "ten"}\n'},
        {"more.txt": b"x"},
        {"answer.json": b"[" * 100_000},
        {"context.json": b"0" * 9**6},
    ],
)
def test_a_bundle_that_was_zipped_again_is_refused(members: dict[str, bytes]) -> None:
    with pytest.raises(InvalidAnswer):
        read_bundle(_rewritten(members))


def test_a_source_is_the_file_that_its_name_says() -> None:
    wrong: dict[str, Any] = {"sources/" + "0" * 64 + ".txt": SOURCE}

    with pytest.raises(InvalidAnswer, match="not the file that its name says"):
        read_bundle(Bundle(SMALL.answer, SMALL.context, SMALL.passages, wrong).to_bytes())


def test_what_changed_is_named() -> None:
    with zipfile.ZipFile(io.BytesIO(SMALL.to_bytes())) as old:
        sums = old.read("SHA256SUMS")
    other = Bundle({"answer": "ten"}, SMALL.context, SMALL.passages, SMALL.sources).to_bytes()
    with zipfile.ZipFile(io.BytesIO(other)) as again:
        members = {name: again.read(name) for name in again.namelist()} | {"SHA256SUMS": sums}

    with pytest.raises(InvalidAnswer, match=r"answer\.json"):
        read_bundle(_rewritten(members, zipfile.ZIP_STORED))
    assert json.loads(members["answer.json"])["answer"] == "ten"


def test_half_a_character_makes_no_bundle() -> None:
    written = Bundle({"answer": "xxxxxx"}, {}, [], {}).to_bytes()

    with pytest.raises(InvalidAnswer, match="cannot be read as one"):
        read_bundle(resealed(written, b"xxxxxx", b"\\ud800"))


def resealed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """Return a bundle with other bytes of the same length, and a right zip checksum."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as changed:
        for name in source.namelist():
            changed.writestr(name, source.read(name).replace(old, new))
    return target.getvalue()
