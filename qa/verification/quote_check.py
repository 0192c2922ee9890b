"""Checks of quotes against their source files.

A source is read and extracted again, and every number of a citation is compared with it. Nothing of
the index is trusted: not its text, not its offsets. A proof says that the file with this sha256
holds these characters at this place; people judge if they answer the question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from index.document import Document, Place, split_uri
from index.errors import LoadingError
from index.parsing.loader import MAX_FILE_BYTES, fold_newlines, load, read_bytes
from index.store.snapshot import Snapshot
from qa.answer import Answer, AnswerSpan, Citation, NearestPassage, answer_of
from qa.errors import InvalidAnswer

Find = Callable[[str, str, str], Path | None]
"""Function from (document id, uri, sha256) to the file to check; None if there is none."""
_CONTEXT = 40
"""Characters of a text that a message shows."""


@dataclass(frozen=True, slots=True)
class Check:
    """One claim of a citation, passed or not.

    `detail` tells what was found instead, or what was looked at.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A quote of an answer with its checks."""

    role: str
    uri: str
    quote: str
    start: int
    end: int
    checks: tuple[Check, ...]

    @property
    def proved(self) -> bool:
        """True if all checks passed."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, the verdict first."""
        return {
            "proved": self.proved,
            **asdict(self),
            "checks": [asdict(check) for check in self.checks],
        }


@dataclass(frozen=True, slots=True)
class ParsedQuote:
    """The claims of a quote about its source.

    A citation claims several things, a passage its characters alone.
    """

    role: str
    document_id: str
    uri: str
    sha256: str
    quote: str
    start: int
    end: int
    citation: Citation | None = None

    def __post_init__(self) -> None:
        """Check the types, because the JSON comes from elsewhere; raise TypeError."""
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
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"expected a text, got {text!r}")
        for number in numbers:
            # Not isinstance: a bool is no number here.
            if type(number) is not int:
                raise TypeError(f"expected a whole number, got {number!r}")


def parsed(content: bytes) -> Mapping[str, Any]:
    """Return the JSON object in some bytes; raise InvalidAnswer if there is none."""
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(
            "expected the JSON of an answer, or a bundle of `qa ask --bundle`, "
            f"got neither: {error}"
        ) from error
    if not isinstance(plain, dict):
        raise InvalidAnswer(f"expected the JSON of an answer, got a JSON {type(plain).__name__}")
    return plain


def quotes_of(plain: Mapping[str, Any]) -> list[ParsedQuote]:
    """Return everything that the JSON of an answer quotes, the answer first.

    Raises InvalidAnswer if it is none, or does not agree with itself.
    """
    try:
        _require_whole_characters(plain)
        answer = answer_of(plain)
        # "answer" and "citations" repeat the spans for convenience: both must say the same.
        derived = answer.to_dict()
        is_consistent = all(plain[name] == derived[name] for name in ("answer", "citations"))
        quotes = list(_quotes(answer))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidAnswer(
            "expected the JSON of an answer, as `qa ask --json` or POST /ask gives it, "
            f"got another: {error!r}"
        ) from error
    if not is_consistent or any(span.text != span.citation.quote for span in answer.spans):
        raise InvalidAnswer(
            "the answer's text or its list of citations is not that of its spans: "
            "the JSON has been changed"
        )
    return quotes


def passages_of(plain: Sequence[Mapping[str, Any]]) -> list[ParsedQuote]:
    """Return the quotes of a bundle's passages; raise InvalidAnswer if they are none."""
    fields = ("document_id", "uri", "sha256", "text", "start", "end")
    try:
        _require_whole_characters(plain)
        return [ParsedQuote("passage", *(passage[name] for name in fields)) for passage in plain]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidAnswer(
            f"expected passages as `qa ask --bundle` writes them, got others: {error!r}"
        ) from error


def _require_whole_characters(plain: object) -> None:
    r"""Raise ValueError if a text anywhere in some JSON holds half a character.

    JSON can spell a lone surrogate ("\ud800"), and what is found is written as UTF-8.
    """
    json.dumps(plain, ensure_ascii=False).encode()


def verify(
    quotes: Iterable[ParsedQuote], find: Find, *, max_bytes: int = MAX_FILE_BYTES
) -> list[Proof]:
    """Prove or disprove quotes against the files that `find` finds.

    Each file is read once and one at a time is in memory: an answer may quote any number of them.
    """
    listed = list(quotes)
    numbers_by_path: dict[Path | None, list[int]] = {}
    for number, quoted in enumerate(listed):
        path = find(quoted.document_id, quoted.uri, quoted.sha256)
        numbers_by_path.setdefault(path, []).append(number)
    proofs: dict[int, Proof] = {}
    for path, numbers in numbers_by_path.items():
        source = _load_source(path, max_bytes)
        proofs |= {
            number: _proof(listed[number], _part_for(source, listed[number].uri))
            for number in numbers
        }
    return [proofs[number] for number in range(len(listed))]


def verification(quotes: Iterable[ParsedQuote], snapshot: Snapshot) -> dict[str, Any]:
    """Return the JSON of the proofs of an answer's quotes, from the files of an index."""
    with in_index(snapshot) as find:
        proofs = [proof.to_dict() for proof in verify(quotes, find)]
    return {"proved": all(proof["proved"] for proof in proofs), "proofs": proofs}


@contextmanager
def in_index(snapshot: Snapshot) -> Iterator[Find]:
    """Give a finder of the files that were indexed, by document id.

    No name in an answer leads anywhere else. Copies of files that are elsewhere are kept while the
    context is open.
    """
    found: dict[str, Path | None] = {}
    with ExitStack() as copies:

        def find(document_id: str, _uri: str, _sha256: str) -> Path | None:
            if document_id not in found:
                known = snapshot.has_document(document_id)
                file = snapshot.file(document_id) if known else None
                is_file = file is not None and file.path.is_absolute()
                found[document_id] = (
                    copies.enter_context(snapshot.original(file)) if file and is_file else None
                )
            return found[document_id]

        yield find


def below(source: Path) -> Find:
    """Return a finder of files by their uris below a folder; a file serves all quotes.

    A uri never leads out of the folder.
    """

    def find(_document_id: str, uri: str, _sha256: str) -> Path | None:
        if not source.is_dir():
            return source
        inside = PurePosixPath(uri)
        if inside.is_absolute() or ".." in inside.parts or "\0" in uri:
            return None
        if (source / inside).exists():
            return source / inside
        return source / split_uri(uri)[0]  # of a part: "mail.eml#2"

    return find


def _load_source(path: Path | None, max_bytes: int) -> tuple[bytes, Document] | str:
    """Return the bytes and the document of a file, or the reason in words if there are none."""
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


def _part_for(source: tuple[bytes, Document] | str, uri: str) -> tuple[bytes, Document] | str:
    """Return a source with the document of the part that a uri names, if the file has it."""
    if isinstance(source, str):
        return source
    data, document = source
    _, part = split_uri(uri)
    return data, next((each for each in document.parts if each.part == part), document)


def _quotes(answer: Answer) -> Iterator[ParsedQuote]:
    """Yield everything that an answer quotes."""
    yield from _span_quotes("answer", answer.spans)
    yield from _span_quotes("alternative", answer.alternatives)
    yield from _span_quotes("conflict", answer.conflicts)
    yield from _span_quotes("earlier", answer.earlier)
    if answer.refusal:
        for passage in answer.refusal.nearest:
            yield _passage_quote(passage)


def _span_quotes(role: str, spans: Iterable[AnswerSpan]) -> Iterator[ParsedQuote]:
    """Yield the quotes of spans and of their further places."""
    for span in spans:
        for citation in (span.citation, *span.further):
            yield ParsedQuote(
                role,
                citation.document_id,
                citation.uri,
                citation.sha256,
                citation.quote,
                citation.start,
                citation.end,
                citation,
            )


def _passage_quote(passage: NearestPassage) -> ParsedQuote:
    return ParsedQuote(
        "nearest passage",
        passage.document_id,
        passage.uri,
        passage.sha256,
        passage.text,
        passage.start,
        passage.end,
    )


def _proof(quoted: ParsedQuote, source: tuple[bytes, Document] | str) -> Proof:
    """Return the proof of a quote from its source, or from the reason why there is none."""
    checks = tuple(_source_checks(quoted, source))
    return Proof(quoted.role, quoted.uri, quoted.quote, quoted.start, quoted.end, checks)


def _source_checks(quoted: ParsedQuote, source: tuple[bytes, Document] | str) -> Iterable[Check]:
    """Return the checks of a quote, a failed one if its source cannot be read."""
    if isinstance(source, str):
        return [Check("source", passed=False, detail=source)]
    data, document = source
    return _checks(quoted, data, document)


def _checks(quoted: ParsedQuote, data: bytes, document: Document) -> Iterator[Check]:
    """Yield the checks of a quote against its source."""
    digest = document.source.sha256
    yield Check("sha256", digest == quoted.sha256, f"the file has {digest}")
    characters = _text_check("characters", document.text, quoted.quote, quoted.start, quoted.end)
    then = quoted.citation.extractor if quoted.citation else None
    now = document.source.extractor
    is_other_extractor = then is not None and now is not None and then != now
    if is_other_extractor and not characters.passed:
        # The file is the same and its text is not: the program is to blame, not the quote.
        detail = f"{characters.detail}; {then} read it then, {now} does now: ask again"
        characters = replace(characters, detail=detail)
    yield characters
    if quoted.citation is not None:
        yield from _citation_checks(quoted.citation, data, document)


def _citation_checks(citation: Citation, data: bytes, document: Document) -> Iterator[Check]:
    """Yield the checks of what a citation claims beside its characters."""
    yield _text_check(
        "sentence", document.text, citation.sentence, citation.sentence_start, citation.sentence_end
    )
    extractor = document.source.extractor
    yield Check(
        "extractor",
        (extractor is None) == (citation.extractor is None),
        f"{citation.extractor or 'text'} then, {extractor or 'text'} now",
    )
    if citation.byte_start is not None or citation.byte_end is not None:
        yield _bytes_check(citation, data, document)
    place = document.places.at(citation.start)
    line = None if extractor else document.text.count("\n", 0, citation.start) + 1
    claimed = Place(citation.page, citation.slide, citation.sheet, citation.row, citation.mail)
    words = str(place) or f"line {line}"
    yield Check("place", (claimed, citation.line) == (place, line), f"it is {words}")


def _text_check(name: str, text: str, quote: str, start: int, end: int) -> Check:
    """Return the check that a text has a quote at [start, end).

    If it fails, its detail tells the first difference, and where else the words stand.
    """
    if quote and 0 <= start < end <= len(text) and text[start:end] == quote:
        return Check(name, passed=True, detail=f"{start} to {end}")
    at = text.find(quote) if quote else -1
    actual = text[max(start, 0) : max(end, 0)]
    same = _common_prefix_length(actual, quote)
    differs = (
        f"{actual[same : same + _CONTEXT]!r} stands at {max(start, 0) + same}, "
        f"not {quote[same : same + _CONTEXT]!r}"
    )
    elsewhere = "the words stand nowhere in it"
    if at >= 0:
        elsewhere = f"the words stand at {at} to {at + len(quote)}"
    return Check(name, passed=False, detail=f"{differs}; {elsewhere}")


def _common_prefix_length(one: str, other: str) -> int:
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def _bytes_check(citation: Citation, data: bytes, document: Document) -> Check:
    """Return the check that the cited bytes, decoded and newline-folded, are the quote."""
    start, end = citation.byte_start or 0, citation.byte_end or 0
    encoding = document.source.encoding
    actual = _decoded(data[start:end], encoding) if 0 <= start < end <= len(data) else ""
    detail = f"{start} to {end} in {encoding}: {actual[:_CONTEXT]!r}"
    return Check("bytes", actual == citation.quote, detail)


def _decoded(data: bytes, encoding: str) -> str:
    """Return the text of bytes, newlines folded; "" if they begin or end within a character."""
    try:
        return fold_newlines(data.decode(encoding))[0]
    except UnicodeDecodeError:
        return ""
