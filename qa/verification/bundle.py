"""An audit bundle: a question, its answer, and all that is needed to check it on a machine without
the index, in one zip file.

    answer.json      what `qa ask --json` prints context.json     settings, index generation, hashes
    of the models, versions of the programs passages.json    what was retrieved, with each score,
    and whether it was read sources/SHA256.SUFFIX   the bytes of every file that is quoted, unless
    left out SHA256SUMS       the hash of every member above, as `sha256sum -c` reads it; its own
    hash is the zip file's comment

The file has one form only: members stored in this order without compression, times and attributes.
Reading writes it again and compares, so that any byte that was changed shows, wherever it is. Who
makes a bundle can put into it what they like: what `qa verify` proves is that it holds what it
says, and that its sources hold the quotes.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from qa.errors import InvalidAnswer

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
