"""Versions of one document among many: which belong together, and which of them is newest.

Documents belong together if their names or titles are the same but for dates and version marks, if
one says that it supersedes the other, or if they share a title and most of their text. Minutes of
two months, or reports of two quarters, are a *series*: each stays true of its own period. Other
families are *versions*: only the newest is in force.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from hashlib import blake2b
from itertools import combinations
from pathlib import PurePosixPath
from typing import Literal
from zlib import crc32

import numpy as np
import regex

from index.document import Document
from index.text.dates import HEAD, date_in_name, dates_in, period, shown_date

_Age = tuple[bool, tuple[int, ...], str, int, int]
"""Sort key of a version: in force, number, first day, rank, steps behind the one it sorts with."""
Relation = Literal["version", "series"]
"""Relation of the members of a family."""

SKETCH = 64
"""Smallest hashes of a text's shingles that are kept (bottom-k sketch, Broder 1997)."""
SHINGLE = 5
"""Words of a shingle."""
MAX_SKETCHED = 400_000
"""Characters of a text from which its sketch is made."""
SAME_TITLE_OVERLAP = 0.15
"""Share of common shingles from which documents with one title are versions."""
OVERLAP = 0.8
"""Share of common shingles from which documents in one folder are versions whatever their names."""
MAX_FAMILY = 300
"""Largest number of documents with one title that are compared by overlap, each with each."""
_HEAD_OF_STATUS = 400
_SMALLEST = 4
"""Smallest hashes of which texts that share most of their shingles share some."""
_KIND_BITS = 2

_OLD = frozenset(["old", "alt", "previous", "legacy", "outdated", "archived", "archive", "bak"])
_INVALID = frozenset(["superseded", "obsolete", "withdrawn", "deprecated"])
_DRAFT = frozenset(["draft", "entwurf", "wip", "preliminary"])
_FINAL = frozenset(["final", "new", "neu", "current", "latest", "approved", "signed", "revised"])
_MARKS = _OLD | _INVALID | _DRAFT | _FINAL | {"copy"}
_VERSION_WORDS = r"(?:version|ver|v|revision|rev|edition|issue|release)"
_VERSION = regex.compile(
    rf"(?<![\p{{L}}\p{{N}}])(?:{_VERSION_WORDS}[\s._-]*(?P<number>\d+(?:\.\d+)*)(?![\p{{L}}\p{{N}}])"
    r"|(?:revision|rev)[\s._-]+(?P<letter>[A-Z])(?![\p{L}\p{N}])"
    r"|(?P<dotted>\d+(?:\.\d+)+)(?![\p{L}\p{N}]))",
    regex.IGNORECASE,
)
_TOKEN = regex.compile(r"\p{L}+|\p{N}+")
_CODE = regex.compile(r"(?<![\p{L}\p{N}])\p{Lu}{1,5}-?\d[\p{N}\p{Lu}-]*(?![\p{L}\p{N}])")
_SERIES_WORDS = regex.compile(
    r"(?<!\p{L})(?:minutes|protocols?|protokolle?|meetings?|reports?|berichte?|newsletters?|journal"
    r"|diary|logs?|rota|roster|schedule|invoices?|receipts?|statements?|payslips?|agendas?"
    r"|post-?mortems?|incidents?|letters?|quotations?|quotes?|orders?|offers?|surveys?|quotas?)"
    r"(?!\p{L})",
    regex.IGNORECASE,
)
_VALIDITY_WORDS = regex.compile(
    r"(?<!\p{L})(?:polic(?:y|ies)|terms|rules|guidelines?|handbook|manual|price|prices|tariffs?"
    r"|fees|procedures?|contract|agreement|regulations?|specifications?|leaflet|instructions?)"
    r"(?!\p{L})",
    regex.IGNORECASE,
)
_CLAIM = regex.compile(
    r"(?<!\p{L})(?:supersed(?:es|ing)|replac(?:es|ing)|ersetzt)(?!\p{L})[\s:|]*"
    r"(?P<what>(?:[^.;\n]|\.(?=\d)|\n(?!\s*\n)(?![^\n]{0,3}\d)){3,160})",
    regex.IGNORECASE,
)
_BY = regex.compile(
    r"(?<!\p{L})(?:superseded|replaced|ersetzt)\s+(?:by|durch)\s+"
    r"(?P<what>(?:[^.;\n]|\.(?=\d)){3,160})",
    regex.IGNORECASE,
)
_STATUS = regex.compile(
    r"^\W*(?:status\W{1,3}|note\W{1,3})?"
    r"(?P<a>superseded|obsolete|withdrawn|no longer (?:valid|in force))(?!\p{L})"
    r"|(?<!\p{L})this (?:document|policy|page|version|list|manual|notice|guide|file)"
    r"(?: is| was| has been)? (?P<b>superseded|obsolete|withdrawn|no longer (?:valid|in force)"
    r"|replaced by|outdated)",
    regex.IGNORECASE | regex.MULTILINE,
)
_SECTION = regex.compile(r"(?:section|chapter|clause|§)\s*(?P<number>\d+(?:\.\d+)*)", regex.I)
_DAY_AND_MONTH = "%-d %B"


@dataclass(frozen=True, slots=True)
class VersionTraits:
    """Marks of a document by which its versions are found.

    `name_key` and `title_key` are name and title without dates and version marks; `number` is its
    version, `rank` -1 for a draft and 1 for a final one. `invalid` is the word that says that it is
    no longer in force, `old` one that says so only beside a newer twin. `supersedes` and
    `superseded_by` are what its text says of others. `sketch` holds the smallest hashes of its
    shingles, in ascending order.
    """

    folder: str
    name: str
    title: str
    name_key: str
    title_key: str
    number: tuple[int, ...]
    rank: int
    old: str
    invalid: str
    date: str | None
    date_source: str | None
    is_series: bool
    is_marked: bool
    codes: tuple[str, ...]
    supersedes: tuple[str, ...]
    superseded_by: tuple[str, ...]
    sketch: tuple[int, ...]

    def to_json(self) -> str:
        """Return the traits as JSON, which `traits_from_json` reads back."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps(values, ensure_ascii=False)

    @property
    def start(self) -> str:
        """First day of the document's date, "" without a date."""
        return period(self.date)[0].isoformat() if self.date else ""


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """Place of a document among its versions.

    Of one `family` the highest `position` is newest; documents of one age share it. `reason` says
    why a document is not the newest, or why it is no longer in force; empty for the newest.
    """

    document_id: str
    family: str
    position: int
    relation: Relation
    reason: str = ""
    is_invalid: bool = False


@dataclass(frozen=True, slots=True)
class SupersededSection:
    """Section of a document, by its number, that another document supersedes."""

    document_id: str
    section: str
    newer_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions found among documents."""

    documents: tuple[DocumentVersion, ...] = ()
    sections: tuple[SupersededSection, ...] = ()

    def families_of(self, document_ids: Container[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position, the oldest first."""
        families = {each.family for each in self.documents if each.document_id in document_ids}
        return in_order(each for each in self.documents if each.family in families)

    def sections_of(self, document_ids: Container[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""
        return [each for each in self.sections if each.document_id in document_ids]


def in_order(versions: Iterable[DocumentVersion]) -> list[DocumentVersion]:
    """Return versions by family and position, the oldest first."""
    return sorted(versions, key=lambda each: (each.family, each.position, each.document_id))


def traits_from_json(text: str) -> VersionTraits:
    """Return the traits that `VersionTraits.to_json` wrote."""
    plain = json.loads(text)
    lists = {name: tuple(value) for name, value in plain.items() if isinstance(value, list)}
    return VersionTraits(**{**plain, **lists})


def version_traits(document: Document) -> VersionTraits:
    """Return the marks of a document by which its versions are found."""
    path = PurePosixPath(document.uri)
    stem = "" if document.part else _stem(path)  # the parts of a file share its name
    title = document.title if document.title_is_real else ""
    head = document.text[:HEAD]
    marks = _marks(stem) | (_marks(title) & (_INVALID | _DRAFT))
    number = _number(stem) or _number(title) or _number(head[:_HEAD_OF_STATUS], labelled=True)
    status = _STATUS.search(head[:_HEAD_OF_STATUS])
    invalid = next(iter(sorted(marks & _INVALID)), "") or (
        (status["a"] or status["b"]).lower() if status else ""
    )
    return VersionTraits(
        folder=path.parent.as_posix(),
        name=path.name,
        title=document.title,
        name_key=_key(stem),
        title_key=_key(title),
        number=number,
        rank=bool(marks & _FINAL) - bool(marks & _DRAFT),
        old=next(iter(sorted(marks & _OLD)), ""),
        invalid=invalid,
        date=document.date,
        date_source=document.date_source,
        # The mails in a file are letters: each stays true of its own time.
        is_series=bool(document.part) or _is_series(stem, title, number),
        is_marked=bool(marks or _number(stem) or date_in_name(path.name)),
        codes=tuple(dict.fromkeys(_CODE.findall(f"{stem.upper()}\n{title}\n{head[:200]}"))),
        supersedes=_statements(_CLAIM, head),
        superseded_by=_statements(_BY, head),
        sketch=_sketch(document.text),
    )


def _stem(path: PurePosixPath) -> str:
    """Return the name of a file without its suffix; a number behind a point is none."""
    return path.name if path.suffix[1:].isdecimal() else path.name.removesuffix(path.suffix)


class KeyKind(IntEnum):
    """Kinds of keys (see `version_keys`): which documents with one key may be versions."""

    ALL = 0
    """All of them."""
    FEW = 1
    """All of them, unless there are more than MAX_FAMILY."""
    SOUGHT = 2
    """One that has it, and one whose text speaks of it."""

    @classmethod
    def of(cls, key: int) -> KeyKind:
        """Return the kind of a key."""
        return cls(key & (1 << _KIND_BITS) - 1)


def version_keys(trait: VersionTraits) -> set[tuple[int, bool]]:
    """Return the keys of a document, 63 bits each, and if it only speaks of what has the key.

    Documents that share no key, directly or through others, do not change each other's versions:
    the keys are those by which `find_versions` brings documents together.
    """
    own = {_name_key(trait)} if trait.name_key else set()
    own |= {_title_key(trait.title_key)} if trait.title_key else set()
    own |= {_shingle_key(trait, each) for each in trait.sketch[:_SMALLEST]}
    own |= {_code_key(trait, each) for each in trait.codes[:1]}
    own |= {_title_code_key(trait, each) for each in _CODE.findall(trait.title)}
    claims = (*trait.supersedes, *trait.superseded_by)
    sought = {_code_key(trait, code) for claim in claims for code in _CODE.findall(claim)}
    sought |= {_title_key(title) for claim in claims for title in _titles_in(claim)}
    if claims:
        # Its own names are those of its kin, too.
        sought |= {_name_key(trait), _title_key(trait.title_key)}
        sought |= {_title_code_key(trait, each) for each in _CODE.findall(trait.title)}
    return {(key, False) for key in own} | {(key, True) for key in sought}


def find_versions(traits: Mapping[str, VersionTraits], crowded: Container[int] = ()) -> Versions:
    """Return the versions among documents, by their ids.

    `crowded` holds keys that more than MAX_FAMILY documents have, of which `traits` are a part.
    """
    claims = _resolved_claims(traits)
    whole = {(newer, older) for newer, older, section in claims if not section}
    families = _families(traits, whole, crowded)
    superseded = {older: newer for newer, older in sorted(whole)}
    documents: list[DocumentVersion] = []
    for members in families:
        documents += _ordered({each: traits[each] for each in members}, superseded)
    sections = tuple(
        SupersededSection(older, section, newer, f"“{traits[newer].name}” supersedes it")
        for newer, older, section in sorted(claims)
        if section
    )
    alone = set(traits) - {each for members in families for each in members}
    documents += [
        DocumentVersion(each, each, 0, "version", f"it is marked “{traits[each].invalid}”", True)
        for each in sorted(alone)
        if traits[each].invalid
    ]
    return Versions(tuple(documents), sections)


def named_numbers(text: str) -> set[tuple[int, ...]]:
    """Return the version numbers that a text names: "version 2", "v2", "3.1"."""
    numbers = set()
    for match in _VERSION.finditer(text):
        digits = match["number"] or match["dotted"]
        if digits:
            numbers.add(tuple(int(part[:9]) for part in digits.split(".")))
    return numbers


def _marks(text: str) -> set[str]:
    return {word.lower() for word in _TOKEN.findall(text)} & _MARKS


def _key(text: str) -> str:
    """Return the words of a name or title without dates, version numbers and version marks."""
    kept = text.replace("_", " ")
    for found in reversed(dates_in(kept)):
        kept = f"{kept[: found.start]} {kept[found.end :]}"
    kept = _VERSION.sub(" ", kept)
    words = (word.lower() for word in _TOKEN.findall(kept))
    return " ".join(word for word in words if word not in _MARKS)


def _number(text: str, *, labelled: bool = False) -> tuple[int, ...]:
    """Return the version number in a text, () if it has none; `labelled`: with a word before it."""
    masked = text.replace("_", " ")
    for found in dates_in(masked):
        blank = " " * (found.end - found.start)
        masked = f"{masked[: found.start]}{blank}{masked[found.end :]}"
    for match in _VERSION.finditer(masked):
        if match["letter"]:
            return (ord(match["letter"].upper()) - ord("A") + 1,)
        digits = match["number"] or (None if labelled else match["dotted"])
        if digits:
            return tuple(int(part[:9]) for part in digits.split("."))
    return ()


def _is_series(stem: str, title: str, number: tuple[int, ...]) -> bool:
    """Return True for a document that is about a period, like minutes, and outlives it."""
    names = f"{stem.replace('_', ' ')} {title}"
    if _SERIES_WORDS.search(names):
        return True
    if number or _VALIDITY_WORDS.search(names):
        return False
    in_name = date_in_name(stem)
    return bool(in_name and len(in_name) > len("2026"))


def _statements(pattern: regex.Pattern[str], head: str) -> tuple[str, ...]:
    return tuple(" ".join(match["what"].split()) for match in pattern.finditer(head))


def _sketch(text: str) -> tuple[int, ...]:
    words = [word.lower() for word in _TOKEN.findall(text[:MAX_SKETCHED])]
    shingles = {
        " ".join(words[at : at + SHINGLE]) for at in range(max(len(words) - SHINGLE + 1, 0))
    }
    hashes = np.fromiter((crc32(each.encode()) for each in shingles), dtype=np.int64)
    return tuple(np.unique(hashes)[:SKETCH].tolist())


def overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the estimated Jaccard similarity, in [0, 1], of the texts of two sketches."""
    smallest = sorted({*one, *other})[:SKETCH]
    both = {*one} & {*other}
    return len(both.intersection(smallest)) / len(smallest) if smallest else 0.0


class _Directory:
    """Documents by what a claim may call them."""

    def __init__(self, traits: Mapping[str, VersionTraits]) -> None:
        self.by_code: dict[str, list[str]] = defaultdict(list)
        self.by_title_code: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.by_title: dict[str, list[str]] = defaultdict(list)
        for each, trait in traits.items():
            for code in trait.codes[:1]:
                self.by_code[code].append(each)
            for code in _CODE.findall(trait.title):
                self.by_title_code[trait.folder, code].append(each)
            if trait.name_key:
                self.by_name[trait.folder, trait.name_key].append(each)
            if trait.title_key:
                self.by_title[trait.title_key].append(each)

    def kin(self, speaker: VersionTraits, claim: str) -> set[str]:
        """Return the documents that one may mean by "the price list" or "version 2.1"."""
        found = {*self.by_name.get((speaker.folder, speaker.name_key), ())}
        found |= {*self.by_title.get(speaker.title_key, ())}
        for code in _CODE.findall(speaker.title):
            found |= {*self.by_title_code.get((speaker.folder, code), ())}
        for title in _titles_in(claim):
            found |= {*self.by_title.get(title, ())}
        return found


def _titles_in(claim: str) -> Iterator[str]:
    """Yield the runs of two words and more of a claim, each of which may be a title."""
    words = _key(claim).split()
    for start, end in combinations(range(len(words) + 1), 2):
        if end - start > 1:
            yield " ".join(words[start:end])


def _hashed(kind: KeyKind, *parts: str) -> int:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    digest = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
    # SQLite's integers have a sign.
    return (digest >> _KIND_BITS + 1) << _KIND_BITS | kind


def _name_key(trait: VersionTraits) -> int:
    return _hashed(KeyKind.ALL, "name", trait.folder, trait.name_key)


def _title_key(title: str) -> int:
    return _hashed(KeyKind.FEW, "title", title)


def _shingle_key(trait: VersionTraits, smallest: int) -> int:
    return _hashed(KeyKind.FEW, "shingle", trait.folder, str(smallest))


def _code_key(trait: VersionTraits, code: str) -> int:
    return _hashed(KeyKind.SOUGHT, "code", trait.folder, code)


def _title_code_key(trait: VersionTraits, code: str) -> int:
    return _hashed(KeyKind.SOUGHT, "title code", trait.folder, code)


def _resolved_claims(traits: Mapping[str, VersionTraits]) -> set[tuple[str, str, str]]:
    """Return (newer, older, section) of what documents say of each other; section "" for all."""
    directory = _Directory(traits)
    resolved = set()
    for speaker, trait in traits.items():
        for claim in trait.supersedes:
            section = _SECTION.search(claim)
            number = section["number"] if section else ""
            resolved |= {
                (speaker, each, number) for each in _meant(claim, speaker, traits, directory)
            }
        for claim in trait.superseded_by:
            resolved |= {(each, speaker, "") for each in _meant(claim, speaker, traits, directory)}
    return {each for each in resolved if (each[1], each[0], each[2]) not in resolved}


def _meant(
    claim: str, speaker: str, traits: Mapping[str, VersionTraits], directory: _Directory
) -> list[str]:
    """Return the documents that a document means by "version 2.1 of 4 March" and the like."""
    own = traits[speaker]
    codes = set(_CODE.findall(claim)) - set(own.codes[:1])
    by_code = [
        each
        for code in sorted(codes)
        for each in directory.by_code.get(code, ())
        if each != speaker and traits[each].folder == own.folder
    ]
    return by_code or [
        each
        for each in sorted(directory.kin(own, claim))
        if each != speaker and _is_named(traits[each], claim)
    ]


def _is_named(other: VersionTraits, claim: str) -> bool:
    """Return True if a claim names a document's version number or its date."""
    number = ".".join(map(str, other.number))
    if number and _number(claim, labelled=True) == other.number:
        return True
    if not other.date:
        return False
    first, last = period(other.date)
    if any(
        start <= last and first <= end for start, end in (period(d.value) for d in dates_in(claim))
    ):
        return True
    # A day without a year: "the one of 8 September".
    return first == last and first.strftime(_DAY_AND_MONTH) in claim


def _families(
    traits: Mapping[str, VersionTraits],
    claims: Iterable[tuple[str, str]],
    crowded: Container[int],
) -> list[list[str]]:
    """Return groups of at least two documents that are versions of each other."""
    parent = {each: each for each in traits}

    def root(each: str) -> str:
        while parent[each] != each:
            parent[each] = parent[parent[each]]
            each = parent[each]
        return each

    for one, other in (*claims, *_kin(traits, crowded)):
        parent[root(one)] = root(other)
    members: dict[str, list[str]] = defaultdict(list)
    for each in sorted(traits):
        members[root(each)].append(each)
    return [group for group in members.values() if len(group) > 1]


def _kin(traits: Mapping[str, VersionTraits], crowded: Container[int]) -> Iterable[tuple[str, str]]:
    """Yield pairs of documents that are versions by their names, titles or text."""
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    by_title: dict[int, list[str]] = defaultdict(list)
    by_shingle: dict[int, list[str]] = defaultdict(list)
    for each, trait in traits.items():
        if trait.name_key:
            by_name[trait.folder, trait.name_key].append(each)
        if trait.title_key:
            by_title[_title_key(trait.title_key)].append(each)
        for smallest in trait.sketch[:_SMALLEST]:
            by_shingle[_shingle_key(trait, smallest)].append(each)
    for group in by_name.values():
        marked = [each for each in group if traits[each].is_marked]
        if marked:
            yield from ((group[0], other) for other in group[1:])
    for groups, least in ((by_title, SAME_TITLE_OVERLAP), (by_shingle, OVERLAP)):
        for key, group in groups.items():
            if key not in crowded:
                yield from _overlapping(group, traits, least)


def _overlapping(
    group: Sequence[str], traits: Mapping[str, VersionTraits], least: float
) -> Iterable[tuple[str, str]]:
    """Yield pairs of a group that have an order and share at least this part of their text.

    A form that was filled several times has one title and one text, but names of its own that no
    date or version tells apart: without an order they are no versions.
    """
    if len(group) > MAX_FAMILY:
        return
    for one, other in combinations(group, 2):
        ours, theirs = traits[one], traits[other]
        is_form = ours.is_series or theirs.is_series
        if not is_form and _differ(ours, theirs) and overlap(ours.sketch, theirs.sketch) >= least:
            yield one, other


def _differ(one: VersionTraits, other: VersionTraits) -> bool:
    """Return True if two documents' numbers, stated dates or marks put them in an order."""
    if one.number and other.number:
        return one.number != other.number
    if "file" not in {one.date_source, other.date_source} and one.date and other.date:
        return one.date != other.date
    return bool(one.old or one.invalid) != bool(other.old or other.invalid)


def _ordered(
    members: Mapping[str, VersionTraits], superseded_by: Mapping[str, str]
) -> list[DocumentVersion]:
    """Return the members of a family with their positions, the oldest first."""
    superseded = {
        each: superseded_by[each] for each in members if superseded_by.get(each) in members
    }
    is_series = all(trait.is_series for trait in members.values()) and not superseded
    all_numbered = all(trait.number for trait in members.values())

    def age(each: str, seen: frozenset[str] = frozenset()) -> _Age:
        trait = members[each]
        is_valid = not (trait.old or trait.invalid)
        own = (is_valid, trait.number if all_numbered else (), trait.start, trait.rank, 0)
        newer = superseded.get(each)
        if newer is None or newer in seen:
            return own
        # A document that another supersedes is older than it whatever their dates.
        *same, step = age(newer, seen | {each})
        return min(own, (*same, step - 1))  # type: ignore[return-value]

    ages = {each: age(each) for each in members}
    levels = sorted(set(ages.values()))
    family = min(members)
    relation: Relation = "series" if is_series else "version"
    ordered = sorted(members, key=lambda each: (ages[each], each))
    newest = next(each for each in ordered if ages[each] == levels[-1])
    return [
        DocumentVersion(
            each,
            family,
            levels.index(ages[each]),
            relation,
            "" if ages[each] == levels[-1] else _reason(each, newest, members, superseded),
            bool(members[each].invalid),
        )
        for each in ordered
    ]


def _reason(
    older: str, newest: str, members: Mapping[str, VersionTraits], superseded: Mapping[str, str]
) -> str:
    """Return why a document is not the newest of its family, in words."""
    old, new = members[older], members[newest]
    if older in superseded:
        return f"“{members[superseded[older]].name}” supersedes it"
    if old.invalid or old.old:
        return f"it is marked “{old.invalid or old.old}”"
    if old.number and new.number and old.number != new.number:
        return f"“{new.name}” is version {'.'.join(map(str, new.number))}"
    if old.date and new.date and old.date != new.date:
        return f"“{new.name}” is of {shown_date(new.date)}"
    return f"“{new.name}” is newer by its name"
