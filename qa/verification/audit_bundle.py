"""Audit bundles: zip files of an answer and everything that it depends on."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from index.document import split_uri
from index.store.snapshot import Snapshot
from qa.answer import Answer
from qa.answering.pipeline import Pipeline
from qa.errors import InvalidAnswer
from qa.settings import Settings

PROGRAMS = ("quoted-qa", "openvino", "tokenizers", "faiss-cpu", "rank-bm25", "numpy")
"""Distributions whose versions an answer may depend on."""


def bundle_of(
    answer: Answer,
    pipeline: Pipeline,
    settings: Settings,
    *,
    tags: Sequence[str] | None = None,
    with_sources: bool = True,
) -> tuple[Bundle, list[str]]:
    """Return the bundle of an answer that the pipeline has just given, and names of missing files.

    The answer was asked for within `tags`. A file is missing if it is no longer as it was indexed:
    the bundle lacks its bytes.
    """
    passages = _passages(answer, pipeline, tags)
    plain = answer.to_dict()
    nearest = plain["refusal"]["nearest"] if plain["refusal"] else []
    sources: dict[str, bytes] = {}
    missing: list[str] = []
    if with_sources:
        quotes = [*passages, *plain["citations"], *nearest]
        sources, missing = _source_bytes(quotes, pipeline.snapshot)
    return Bundle(plain, _context(pipeline, settings, tags), passages, sources), missing


def _passages(
    answer: Answer, pipeline: Pipeline, tags: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return the passages found for an answer as JSON, each with whether it was read."""
    found = pipeline.search(answer.question, top_k=max(answer.passages_found, 1), tags=tags)
    return [asdict(passage) | {"read": passage.rank <= answer.passages_read} for passage in found]


def _source_bytes(
    quotes: Iterable[Mapping[str, Any]], snapshot: Snapshot
) -> tuple[dict[str, bytes], list[str]]:
    """Return the members for the documents that are quoted, and the uris of missing files."""
    files: dict[str, tuple[str, str, Path]] = {}
    with ExitStack() as copies:
        for quote in quotes:
            document_id = quote["document_id"]
            if document_id not in files:
                path = copies.enter_context(snapshot.original(snapshot.file(document_id)))
                files[document_id] = (quote["sha256"], quote["uri"], path)
        return source_bytes(files.values())


def _context(pipeline: Pipeline, settings: Settings, tags: Sequence[str] | None) -> dict[str, Any]:
    """Return the settings, index, models and versions that an answer depends on."""
    snapshot, policy = pipeline.snapshot, pipeline.policy
    return {
        "settings": {
            "model": _model_name(settings.model),
            "reader": _model_name(settings.reader),
            "precision": settings.precision,
            "target_precision": policy.target_precision,
            "likely_precision": policy.likely_precision,
            "min_confidence": policy.min_confidence,
            "sure_threshold": policy.sure_threshold,
            "likely_threshold": policy.likely_threshold,
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


def _model_name(model: str) -> str:
    """Return the name of a model without its folder: paths of the machine are private."""
    path = Path(model)
    return path.name if path.is_absolute() else model


SOURCES = "sources/"
_SUMS = "SHA256SUMS"
_PARTS = ("answer.json", "context.json", "passages.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Earliest time that a zip file can express."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The members of a bundle: three parts as JSON, and the bytes of the sources.

    Sources are named by member name ("sources/SHA256.SUFFIX").
    """

    answer: Mapping[str, Any]
    context: Mapping[str, Any]
    passages: Sequence[Mapping[str, Any]]
    sources: Mapping[str, bytes]

    def to_bytes(self) -> bytes:
        """Return the zip file, the same bytes for the same contents."""
        parts = [_json(part) for part in (self.answer, self.context, self.passages)]
        return _zipped([*zip(_PARTS, parts, strict=True), *sorted(self.sources.items())])


def source_name(sha256: str, uri: str) -> str:
    """Return the name of a source's member; the suffix tells the format."""
    file, _ = split_uri(uri)
    return f"{SOURCES}{sha256}{PurePosixPath(file).suffix.lower()}"


def source_bytes(files: Iterable[tuple[str, str, Path]]) -> tuple[dict[str, bytes], list[str]]:
    """Return the members for (sha256, uri, path), and the uris of missing files.

    A file is missing if it no longer has its hash.
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
    """Return True if bytes are meant to be a bundle: they begin as every zip file does."""
    return data.startswith(b"PK")


def unpack(bundle: Bundle, folder: Path) -> Callable[[str, str, str], Path | None]:
    """Write the sources into a folder, and return a function that finds them there.

    It maps (document id, uri, sha256) to a path, or to None if the bundle lacks the source.
    """
    paths = {name: folder / PurePosixPath(name).name for name in bundle.sources}
    for name, path in paths.items():
        path.write_bytes(bundle.sources[name])
    return lambda _, uri, sha256: paths.get(source_name(sha256, uri))


def read_bundle(data: bytes) -> Bundle:
    """Return the bundle in a zip file's bytes.

    Raises InvalidAnswer if it is none, or if any byte of it is not as it was written.
    """
    try:
        members = _members(data)
        answer, context, passages = (json.loads(members[name]) for name in _PARTS)
        sources = {name: content for name, content in members.items() if name.startswith(SOURCES)}
        bundle = Bundle(answer, context, passages, sources)
        # Half a character (a lone surrogate) in the JSON cannot be written again.
        rewritten = bundle.to_bytes()
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
            "expected a bundle as `qa ask --bundle` writes it, "
            f"got a file that cannot be read as one: {error}"
        ) from error
    # A bundle has one form: writing it again gives the same bytes, unless it has been changed.
    if rewritten != data:
        changed = ", ".join(_changed_members(members)) or "its list of hashes or its frame"
        raise InvalidAnswer(f"the bundle has been changed since it was written: {changed} differs")
    _check_source_names(bundle)
    return bundle


def _members(data: bytes) -> dict[str, bytes]:
    """Return the contents of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise InvalidAnswer(
                "the bundle's members are compressed, which `qa ask --bundle` does not do: "
                "it has been changed"
            )
        return {name: archive.read(name) for name in names}


def _changed_members(members: Mapping[str, bytes]) -> list[str]:
    """Return the names of the members that do not have the hash in the list of hashes."""
    lines = members.get(_SUMS, b"").decode("utf-8", "replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    return [
        name
        for name, content in members.items()
        if name != _SUMS and sums.get(name) != hashlib.sha256(content).hexdigest()
    ]


def _check_source_names(bundle: Bundle) -> None:
    """Raise InvalidAnswer unless each source has the hash in its name."""
    for name, content in bundle.sources.items():
        if PurePosixPath(name).stem != hashlib.sha256(content).hexdigest():
            raise InvalidAnswer(f"the bundle's {name} is not the file that its name says")


def _json(value: Any) -> bytes:  # noqa: ANN401 - whatever json takes
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _zipped(members: list[tuple[str, bytes]]) -> bytes:
    """Return a zip file of members and the list of their hashes, which its comment seals."""
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
