"""Is a quote what its source says? The source is read and extracted again, and every number of a
citation is held against it.

Nothing of the index is trusted: not its text, not its offsets. What is proved is that the file with
this sha256 holds these characters at this place; whether they answer the question is for people to
judge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from index.document import Document, Place
from index.errors import LoadingError
from index.parsing.loader import MAX_FILE_BYTES, fold_newlines, load, read_bytes
from index.store.snapshot import Snapshot
from qa.answer import Answer, Citation, NearestPassage, answer_of
from qa.errors import InvalidAnswer

Find = Callable[[str, str, str], Path | None]
"""(document id, uri, sha256) -> the file to hold a quote against; None if there is none."""
_CONTEXT = 40


@dataclass(frozen=True, slots=True)
class Check:
    """One claim of a citation and whether it holds; `detail` says what was found instead, or what
    was looked at.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A quote of an answer with its checks: it is proved if all of them passed."""

    role: str
    uri: str
    quote: str
    start: int
    end: int
    checks: tuple[Check, ...]

    @property
    def proved(self) -> bool:
        """Whether the source says what the quote says it does."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the verdict first."""
        return {
            "proved": self.proved,
            **asdict(self),
            "checks": [asdict(check) for check in self.checks],
        }


@dataclass(frozen=True, slots=True)
class ParsedQuote:
    """What is claimed of a source: a citation, or a passage, which claims its characters alone."""

    role: str
    document_id: str
    uri: str
    sha256: str
    quote: str
    start: int
    end: int
    citation: Citation | None = None

    def __post_init__(self) -> None:
        """Raises TypeError, or ValueError for a text with half a character in it: the JSON comes
        from elsewhere.
        """
        cited = self.citation
        texts: list[object] = [self.document_id, self.uri, self.sha256, self.quote]
        numbers: list[object] = [self.start, self.end]
        if cited:
            texts.append(cited.sentence)
            numbers += [
                cited.sentence_start,
                cited.sentence_end,
                cited.byte_start or 0,
                cited.byte_end or 0,
            ]
        for each in texts:
            if not isinstance(each, str):
                raise TypeError(f"expected a text, got {each!r}")
            each.encode()
        for each in numbers:
            if type(each) is not int:
                raise TypeError(f"expected a whole number, got {each!r}")


def parsed(content: bytes) -> Mapping[str, Any]:
    """The JSON object in some bytes; raises InvalidAnswer."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(
            f"expected the JSON of an answer, or a bundle of `qa ask --bundle`, got neither: {error}"
        ) from error
    if not isinstance(plain, dict):
        raise InvalidAnswer(f"expected the JSON of an answer, got a JSON {type(plain).__name__}")
    return plain


def quotes_of(plain: Mapping[str, Any]) -> list[ParsedQuote]:
    """Everything that the JSON of an answer quotes, the answer first; raises InvalidAnswer."""
    try:
        answer = answer_of(plain)
        consistent = answer.to_dict()
        same = all(plain[name] == consistent[name] for name in ("answer", "citations"))
        quotes = list(_quotes(answer))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidAnswer(
            f"expected the JSON of an answer, as `qa ask --json` or POST /ask gives it, got another: {error!r}"
        ) from error
    if not same or any(span.text != span.citation.quote for span in answer.spans):
        raise InvalidAnswer(
            "the answer's text or its list of citations is not that of its spans: the JSON has been changed"
        )
    return quotes


def passages_of(plain: Sequence[Mapping[str, Any]]) -> list[ParsedQuote]:
    """What the passages of a bundle quote; raises InvalidAnswer."""
    try:
        return [
            ParsedQuote(
                "passage",
                *(each[name] for name in ("document_id", "uri", "sha256", "text", "start", "end")),
            )
            for each in plain
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidAnswer(
            f"expected passages as `qa ask --bundle` writes them, got others: {error!r}"
        ) from error


def verify(
    quotes: Iterable[ParsedQuote], find: Find, *, max_bytes: int = MAX_FILE_BYTES
) -> list[Proof]:
    """Prove or disprove quotes against the files that `find` finds, each read once and none kept:
    an answer may quote from any number of them.
    """
    listed = list(quotes)
    numbers: dict[Path | None, list[int]] = {}
    for number, quoted in enumerate(listed):
        numbers.setdefault(find(quoted.document_id, quoted.uri, quoted.sha256), []).append(number)
    proofs: dict[int, Proof] = {}
    for path, those in numbers.items():
        found = _loaded(path, max_bytes)
        proofs |= {number: _proof(listed[number], found) for number in those}
    return [proofs[number] for number in range(len(listed))]


def in_index(snapshot: Snapshot) -> Find:
    """The files that were indexed, by document id: no name in an answer leads anywhere else."""

    def find(document_id: str, _uri: str, _sha256: str) -> Path | None:
        if not snapshot.has_document(document_id):
            return None
        path = snapshot.file(document_id).path
        return path if path.is_absolute() else None

    return find


def below(source: Path) -> Find:
    """A file for all quotes, or a folder in which each document has its uri; a uri never leads out
    of it.
    """

    def find(_document_id: str, uri: str, _sha256: str) -> Path | None:
        if not source.is_dir():
            return source
        inside = PurePosixPath(uri)
        return (
            None if inside.is_absolute() or ".." in inside.parts or "\0" in uri else source / inside
        )

    return find


def _loaded(path: Path | None, max_bytes: int) -> tuple[bytes, Document] | str:
    """The bytes and the document of a file, or why there are none."""
    if path is None:
        return "there is no such source here: name the file or its folder with --source"
    try:
        data = read_bytes(path, max_bytes)
        document = load(path, path.parent, max_bytes=max_bytes)
    except LoadingError as error:
        return str(error)
    if document is None or document.source.sha256 != hashlib.sha256(data).hexdigest():
        return "changed while it was read: try again"
    return data, document


def _quotes(answer: Answer) -> Iterator[ParsedQuote]:
    for role, spans in (
        ("answer", answer.spans),
        ("alternative", answer.alternatives),
        ("conflict", answer.conflicts),
    ):
        for span in spans:
            for each in (span.citation, *span.further):
                yield ParsedQuote(
                    role,
                    each.document_id,
                    each.uri,
                    each.sha256,
                    each.quote,
                    each.start,
                    each.end,
                    each,
                )
    for passage in answer.refusal.nearest if answer.refusal else ():
        yield _shown(passage)


def _shown(passage: NearestPassage) -> ParsedQuote:
    return ParsedQuote(
        "nearest passage",
        passage.document_id,
        passage.uri,
        passage.sha256,
        passage.text,
        passage.start,
        passage.end,
    )


def _proof(quoted: ParsedQuote, found: tuple[bytes, Document] | str) -> Proof:
    checks = (
        (Check("source", passed=False, detail=found),)
        if isinstance(found, str)
        else tuple(_checks(quoted, *found))
    )
    return Proof(quoted.role, quoted.uri, quoted.quote, quoted.start, quoted.end, checks)


def _checks(quoted: ParsedQuote, data: bytes, document: Document) -> Iterator[Check]:
    digest = document.source.sha256
    yield Check("sha256", digest == quoted.sha256, f"the file has {digest}")
    characters = _standing("characters", document.text, quoted.quote, quoted.start, quoted.end)
    then, now = quoted.citation.extractor if quoted.citation else None, document.source.extractor
    if then and now and then != now and not characters.passed:
        characters = replace(
            characters,
            detail=f"{characters.detail}; {then} read it then, {now} does now: ask again",
        )
    yield characters
    if quoted.citation is not None:
        yield from _citation_checks(quoted.citation, data, document)


def _citation_checks(citation: Citation, data: bytes, document: Document) -> Iterator[Check]:
    yield _standing(
        "sentence", document.text, citation.sentence, citation.sentence_start, citation.sentence_end
    )
    extractor = document.source.extractor
    yield Check(
        "extractor",
        (extractor is None) == (citation.extractor is None),
        f"{citation.extractor or 'text'} then, {extractor or 'text'} now",
    )
    if citation.byte_start is not None or citation.byte_end is not None:
        yield _bytes(citation, data, document)
    place = document.places.at(citation.start)
    line = None if extractor else document.text.count("\n", 0, citation.start) + 1
    claimed = Place(citation.page, citation.slide, citation.sheet, citation.row)
    words = str(place) or f"line {line}"
    yield Check("place", (claimed, citation.line) == (place, line), f"it is {words}")


def _standing(name: str, text: str, quote: str, start: int, end: int) -> Check:
    """Whether a text has a quote at [start, end), and if not, where else."""
    if quote and 0 <= start < end <= len(text) and text[start:end] == quote:
        return Check(name, passed=True, detail=f"{start} to {end}")
    at = text.find(quote) if quote else -1
    there = text[max(start, 0) : max(end, 0)]
    same = next(
        (at for at, (one, other) in enumerate(zip(there, quote, strict=False)) if one != other),
        min(len(there), len(quote)),
    )
    differs = f"{there[same : same + _CONTEXT]!r} stands at {max(start, 0) + same}, not {quote[same : same + _CONTEXT]!r}"
    elsewhere = (
        f"the words stand at {at} to {at + len(quote)}"
        if at >= 0
        else "the words stand nowhere in it"
    )
    return Check(name, passed=False, detail=f"{differs}; {elsewhere}")


def _bytes(citation: Citation, data: bytes, document: Document) -> Check:
    start, end = citation.byte_start or 0, citation.byte_end or 0
    try:
        there = (
            fold_newlines(data[start:end].decode(document.source.encoding))[0]
            if 0 <= start < end <= len(data)
            else ""
        )
    except UnicodeDecodeError:
        there = ""
    return Check(
        "bytes",
        there == citation.quote,
        f"{start} to {end} in {document.source.encoding}: {there[:_CONTEXT]!r}",
    )
