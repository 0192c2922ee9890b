"""An answer and all that it depends on -> an audit bundle (`qa.verification.audit_bundle`)."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from qa.answer import Answer
from qa.answering.pipeline import Pipeline
from qa.errors import InvalidAnswer
from qa.settings import Settings

PROGRAMS = ("quoted-qa", "openvino", "tokenizers", "faiss-cpu", "rank-bm25", "numpy")
"""Whose versions an answer may depend on."""


def bundle_of(
    answer: Answer,
    pipeline: Pipeline,
    settings: Settings,
    *,
    tags: Sequence[str] | None = None,
    with_sources: bool = True,
) -> tuple[Bundle, list[str]]:
    """The bundle of an answer that the pipeline has just given from documents with these tags, and
    the names of files that are no longer what was indexed, whose bytes it lacks.
    """
    passages: list[dict[str, Any]] = [
        asdict(each) | {"read": each.rank <= answer.passages_read}
        for each in pipeline.search(answer.question, top_k=max(answer.passages_found, 1), tags=tags)
    ]
    plain = answer.to_dict()
    shown = [*passages, *plain["citations"], *(plain["refusal"] or {"nearest": []})["nearest"]]
    named = {
        each["document_id"]: (
            each["sha256"],
            each["uri"],
            pipeline.snapshot.file(each["document_id"]).path,
        )
        for each in shown
    }
    sources, missing = source_bytes(named.values()) if with_sources else ({}, [])
    return Bundle(plain, _context(pipeline, settings, tags), passages, sources), missing


def _context(pipeline: Pipeline, settings: Settings, tags: Sequence[str] | None) -> dict[str, Any]:
    """No path of this machine is told: of a model that is a folder, its name alone."""
    snapshot, policy = pipeline.snapshot, pipeline.policy
    names = {"model": settings.model, "reader": settings.reader}
    return {
        "settings": {
            **{
                name: Path(value).name if Path(value).is_absolute() else value
                for name, value in names.items()
            },
            "precision": settings.precision,
            "target_precision": policy.target_precision,
            "min_confidence": policy.min_confidence,
            "threshold": policy.threshold,
            "tags": None if tags is None else list(tags),
        },
        "index": {
            "store": snapshot.store_id,
            "generation": snapshot.generation,
            "documents": snapshot.document_count,
            "passages": snapshot.size,
        },
        "models": {
            "encoder_sha256": snapshot.model.get("model_sha256"),
            "reader_sha256": pipeline.reader_fingerprint,
        },
        "versions": {name: version(name) for name in PROGRAMS},
    }


SOURCES = "sources/"
_SUMS = "SHA256SUMS"
_PARTS = ("answer.json", "context.json", "passages.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip file can express."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The members of a bundle: the three parts as JSON, and the bytes of sources by member name
    ("sources/SHA256.SUFFIX").
    """

    answer: Mapping[str, Any]
    context: Mapping[str, Any]
    passages: Sequence[Mapping[str, Any]]
    sources: Mapping[str, bytes]

    def to_bytes(self) -> bytes:
        """The zip file, the same for the same contents."""
        parts = [_json(part) for part in (self.answer, self.context, self.passages)]
        return _zipped([*zip(_PARTS, parts, strict=True), *sorted(self.sources.items())])


def source_name(sha256: str, uri: str) -> str:
    """The member that holds the bytes of a source; the suffix says the format."""
    return f"{SOURCES}{sha256}{PurePosixPath(uri).suffix.lower()}"


def source_bytes(files: Iterable[tuple[str, str, Path]]) -> tuple[dict[str, bytes], list[str]]:
    """Members for (sha256, uri, path) as far as the files still have these hashes, and the uris of
    the others.
    """
    members: dict[str, bytes] = {}
    missing: list[str] = []
    for sha256, uri, path in files:
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() == sha256:
            members[source_name(sha256, uri)] = data
        else:
            missing.append(uri)
    return members, missing


def is_bundle(data: bytes) -> bool:
    """Whether a file's bytes are meant to be a bundle: it begins as every zip file does."""
    return data.startswith(b"PK")


def unpack(bundle: Bundle, folder: Path) -> Callable[[str, str, str], Path | None]:
    """Write the sources into a folder; returns where the source of (document id, uri, sha256) lies,
    None if the bundle lacks it.
    """
    held = {name: folder / PurePosixPath(name).name for name in bundle.sources}
    for name, path in held.items():
        path.write_bytes(bundle.sources[name])
    return lambda _, uri, sha256: held.get(source_name(sha256, uri))


def read_bundle(data: bytes) -> Bundle:
    """The bundle in a zip file's bytes; raises InvalidAnswer if it is none, or if any byte of it is
    not as it was written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise InvalidAnswer(
                    "the bundle's members are compressed, which `qa ask --bundle` does not do: it has been changed"
                )
            members = {name: archive.read(name) for name in names}
            answer, context, passages = (json.loads(members[name]) for name in _PARTS)
        bundle = Bundle(
            answer,
            context,
            passages,
            {name: data for name, data in members.items() if name.startswith(SOURCES)},
        )
        written = bundle.to_bytes()  # fails at half a character
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        struct.error,
        OSError,
        EOFError,
    ) as error:
        raise InvalidAnswer(
            f"expected a bundle as `qa ask --bundle` writes it, got a file that cannot be read as one: {error}"
        ) from error
    _check(data, written, bundle, members)
    return bundle


def _check(data: bytes, written: bytes, bundle: Bundle, members: Mapping[str, bytes]) -> None:
    """Say what has been changed, as closely as it can be told."""
    if written == data:
        wrong = [
            name
            for name in bundle.sources
            if PurePosixPath(name).stem != hashlib.sha256(members[name]).hexdigest()
        ]
        if wrong:
            raise InvalidAnswer(f"the bundle's {wrong[0]} is not the file that its name says")
        return
    lines = members.get(_SUMS, b"").decode("utf-8", "replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    changed = [
        name
        for name, content in members.items()
        if name != _SUMS and sums.get(name) != hashlib.sha256(content).hexdigest()
    ]
    raise InvalidAnswer(
        f"the bundle has been changed since it was written: {', '.join(changed) or 'its list of hashes or its frame'} differs"
    )


def _json(value: Any) -> bytes:  # noqa: ANN401 - whatever json takes
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _zipped(members: list[tuple[str, bytes]]) -> bytes:
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in members
    ).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [*members, (_SUMS, sums)]:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # the same on every system
            archive.writestr(info, content)
        archive.comment = hashlib.sha256(sums).hexdigest().encode()
    return target.getvalue()
