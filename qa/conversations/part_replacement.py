"""Part replacement: the last question, asked of something else ("And in Oslo?", "the M20?").

A fragment takes the place of that part of the question which is most like it: the same noun, a
code for a code, a year for a year, the same preposition; else the subject or the last object.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise

import regex

from index.search.bm25 import STOP_WORDS, analyse
from index.text.dates import MONTH_NUMBERS
from index.text.english_words import english_words

MOST = 3
"""Largest number of ways in which a part is replaced."""
_SAME_HEAD, _SAME_SHAPE, _SAME_PREPOSITION, _SUBJECT, _OBJECT, _CHAIN = 4.0, 3.0, 2.0, 1.5, 1.0, 1.2
_OTHER_SHAPE = -2.5
_LEAST = 0.1
_PREPOSITIONS = frozenset(
    """
    in on at for from to into by with about after before during since under of per until within
    between against over through as
    """.split()  # noqa: SIM905 - shorter
)
_AUXILIARIES = frozenset(
    """
    is are was were do does did has have had can could will would should may might must
    """.split()  # noqa: SIM905 - shorter
)
_PASSIVE = frozenset({"is", "are", "was", "were", "be", "been", "has", "have", "had"})
_FUNCTION = (
    STOP_WORDS
    | _PREPOSITIONS
    | _AUXILIARIES
    | frozenset(
        """
        many much long often far get gets got take takes took need needs last lasts old soon fast
        reach reached give given use used keep allow allowed include included show still also ever
        again not there no yes please mean means happen happens say says cost costs
        """.split()  # noqa: SIM905 - shorter
    )
)
_ASKING = frozenset({"what", "which", "whose"})
_ARTICLES = frozenset({"the", "a", "an", "all", "our", "my", "your", "this", "that"})
_WORD = regex.compile(r"[\p{L}\p{N}€$£#/][\p{L}\p{M}\p{N}'’./&%#-]*[\p{L}\p{M}\p{N}%]|[\p{L}\p{N}]")
_PARTICIPLE = regex.compile(
    r"\p{L}+(?:ed|en)$|^(?:kept|sent|held|made|done|paid|sold|set|built|left)$"
)
_ANY_PREPOSITION = "|".join(sorted(_PREPOSITIONS))
_NOUN_ONE = regex.compile(r"^(?P<rest>.*\w)\s+ones?$", regex.IGNORECASE)
_VARIANT = regex.compile(
    r"^(?:the|an?)\s+(?P<rest>\w[\w-]*(?:\s\w[\w-]*)?)\s+ones?$", regex.IGNORECASE
)
_ONE_OF = regex.compile(
    rf"^(?:(?:{_ANY_PREPOSITION})\s+)?(?:the|that|those)\s+ones?\s+(?={_ANY_PREPOSITION})",
    regex.IGNORECASE,
)
_OTHERS = regex.compile(
    rf"^\W*(?:(?:{_ANY_PREPOSITION})\s+)?(?:all\s+)?(?:the\s+)?(?:others|rest|other ones)\W*$",
    regex.IGNORECASE,
)
_AT_A_TIME = regex.compile(
    r"\s+(?:at first|at last|initially|originally|currently|now|today|so far|(?:this|last) time)$",
    regex.IGNORECASE,
)
"""A time at the end of a question, in the place of which a fragment names another."""
_OF_OBJECTS = frozenset({"for", "of", "with", "on", "about"})
_BEFORE_TIMES = frozenset(
    {"last", "this", "next", "first", "second", "third", "fourth", "previous"}
)
_DETERMINERS = _ARTICLES | _BEFORE_TIMES
_VERBS = frozenset(
    """
    get gets got take takes took need needs last lasts mean means happen happens say says cost costs
    reach give use keep allow include show
    """.split()  # noqa: SIM905 - shorter
)
_CLASSES = tuple(
    frozenset(each.split())
    for each in (
        "red orange amber yellow green blue purple pink brown black grey gray white",
        "small medium large big",
        "short long",
        "left right middle",
        "upper lower",
        "front rear back",
        "inner outer",
        "early late",
        "primary secondary",
        "new old",
        "weekly monthly quarterly yearly annual daily hourly nightly",
    )
)
"""Adjectives of which a thing has one."""
_YEAR = regex.compile(r"^(?:19|20)\d\d$")
_VERSION = regex.compile(r"^v?\d+(?:\.\d+)+$|^v\d+$", regex.IGNORECASE)
_QUARTER = regex.compile(r"^q[1-4]$", regex.IGNORECASE)
_CODE = regex.compile(r"^(?=.*\d)(?=.*\p{L})[\p{L}\d/.-]+$")
_WEEKDAY = regex.compile(r"^(?:mon|tues|wednes|thurs|fri|satur|sun)days?$", regex.IGNORECASE)
_FIXED_SHAPES = frozenset({"code", "version", "time"})
_TIME_NOUNS = frozenset({"year", "quarter", "month", "week", "day", "time"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A run of content words of a question: its range with article, and what stands before it."""

    start: int
    end: int
    words: tuple[str, ...]
    before: str
    article_start: int

    @property
    def head(self) -> str:
        """Last word, stemmed."""
        return next(iter(analyse(self.words[-1])), self.words[-1].lower())


def with_part_replaced(fragment: str, question: str) -> Iterator[str]:
    """Yield a question with one of its parts replaced by a fragment, the likeliest first.

    Behind them comes the question with a time or a place of the fragment at its end.
    """
    plain, part = question.rstrip("?!. "), fragment.rstrip("?!. ")
    if _OTHERS.match(fragment):
        yield from _with_others(plain)
    if starts_with_preposition(fragment):
        plain = _AT_A_TIME.sub("", plain)
    variant = _VARIANT.match(part)
    if variant and not _shape(variant["rest"].split()):
        yield from _with_variant(variant["rest"], plain)
    elif _WORD.search(_without_one(part)):
        yield from _with_replacement(_without_one(part), plain)


def _with_replacement(part: str, plain: str) -> list[str]:
    """Return a question with a part replaced, at most `MOST` ways, the likeliest first."""
    words = _WORD.findall(part)
    preposition = words[0].lower() if starts_with_preposition(part) else ""
    bare = part[part.lower().index(preposition) + len(preposition) :].strip()
    parts = _parts(plain)
    scored = [(_likeness(each, parts, bare, preposition), each) for each in _with_chains(parts)]
    ranked = sorted(scored, key=lambda pair: -pair[0])
    found = [each for score, each in ranked if score > _LEAST][:MOST]
    readings = [f"{_replaced(plain, each, part, bare, preposition)}?" for each in found]
    if found and _is_plain_word(words):
        readings[1:1] = _with_word_of_pair(part, found[0], plain)
    if preposition and not any(_fits(each, bare, preposition) for each in found):
        added = f"{plain} {part[0].lower()}{part[1:]}?"
        # "For repaired parts" is another object, "in Paris" or "on Sundays" is of the same one.
        is_object = preposition in _OF_OBJECTS and _shape(_WORD.findall(bare)) != "time"
        readings.insert(1 if is_object and readings else 0, added)
    return readings[:MOST]


def _is_plain_word(words: Sequence[str]) -> bool:
    """Return True for one word that is no name: "postgres" takes the place of a whole pair."""
    return len(words) == 1 and words[0].lower() in english_words() and not _shape([*words])


def _with_word_of_pair(word: str, pair: _Part, plain: str) -> list[str]:
    """Return a question with either word of a pair replaced.

    "Night?" may be the night shift, "long?" the lane long.
    """
    if len(pair.words) != 2:
        return []
    one, other = pair.words
    pairs = (f"{word} {other}", f"{one} {word}")
    return [f"{plain[: pair.start]}{each}{plain[pair.end :]}?" for each in pairs]


def starts_with_preposition(fragment: str) -> bool:
    """Return True for a fragment such as "in the second year"."""
    first = _WORD.search(fragment)
    return first is not None and first.group().lower() in _PREPOSITIONS


def _with_others(plain: str) -> Iterator[str]:
    """Yield a question about the others of a kind: "how fast do all other calls get a reply?"."""
    parts = [each for each in _parts(plain) if not _shape(each.words)]
    subjects = [each for each in parts if each.before in _AUXILIARIES]
    objects = [each for each in parts if each.before in _PREPOSITIONS]
    for part in [*[each for each in subjects if len(each.words) > 1][:1], *objects[-1:]]:
        yield f"{plain[: part.article_start]}all other {part.words[-1]}{plain[part.end :]}?"


def _with_variant(adjective: str, plain: str) -> Iterator[str]:
    """Yield a question about a variant of what it asks about: "the stainless one".

    An adjective of the same class gives way to it: after "a green light", "a yellow one".
    """
    parts = _parts(plain)
    for part in [each for each in parts if _shape(each.words) != "time"][::-1][:1]:
        end = plain[part.end :]
        rivals = _rivals_of(adjective)
        rival = next((word for word in part.words if word.lower() in rivals), None)
        if rival is not None:
            at = plain.index(rival, part.start)
            yield f"{plain[:at]}{adjective}{plain[at + len(rival) :]}?"
            continue
        yield f"{plain[: part.start]}{adjective} {plain[part.start : part.end]}{end}?"


def _rivals_of(adjective: str) -> frozenset[str]:
    """Return the words that cannot be said of one thing together with an adjective."""
    classes = (each for each in _CLASSES if adjective.lower() in each)
    return next(classes, frozenset()) - {adjective.lower()}


def _without_one(fragment: str) -> str:
    """Return a fragment without a "one" for a noun: "the 2025 one", "the one of 2025"."""
    return _ONE_OF.sub("", _NOUN_ONE.sub(r"\g<rest>", fragment))


def _fits(part: _Part, bare: str, preposition: str) -> bool:
    """Return True if a part stands behind a fragment's preposition, or is like the fragment."""
    own, wanted = _shape(part.words), _shape(_WORD.findall(bare))
    if "time" in {own, wanted}:
        # "On Sundays" is no other place for "on the day wards".
        return own == wanted
    return part.before == preposition or (own != "" and own == wanted)


def _replaced(plain: str, part: _Part, fragment: str, bare: str, preposition: str) -> str:
    """Return a question with a part replaced, with its article and preposition as it needs."""
    new_words = bare.split()
    has_article = bool(new_words) and new_words[0].lower() in _ARTICLES
    behind_preposition = part.before in _PREPOSITIONS
    if not preposition or part.before == preposition or _is_attributive(plain, part, bare):
        start = part.article_start if has_article else part.start
        return f"{plain[:start]}{bare}{plain[part.end :]}"
    # "on dosing pumps" gives way to "for repaired parts", preposition and all.
    start = part.article_start
    if behind_preposition:
        start = plain.lower().rfind(part.before, 0, part.article_start)
    return f"{plain[:start]}{fragment[0].lower()}{fragment[1:]}{plain[part.end :]}"


def _is_attributive(plain: str, part: _Part, bare: str) -> bool:
    """Return True for a year or a code before its noun, for another one: "the 2024 policy"."""
    own = _shape(part.words)
    is_alike = own in _FIXED_SHAPES and own == _shape(_WORD.findall(bare))
    return is_alike and part.end < len(plain) and part.before in _PREPOSITIONS


def _parts(plain: str) -> list[_Part]:
    """Return the runs of content words of a question, verbs at their ends cut off."""
    parts: list[_Part] = []
    before = auxiliary = ""
    article: int | None = None
    run: list[regex.Match[str]] = []
    end = 0
    for match in [*_WORD.finditer(plain), None]:
        folded = match.group().lower() if match else ""
        follows_break = match is None or any(mark in plain[end : match.start()] for mark in ",:;(")
        is_content = match is not None and folded not in _FUNCTION | _DETERMINERS
        if run and (follows_break or not is_content):
            parts += _cut(run, before, article, auxiliary, folded)
            run, article = [], None
        if match is None:
            break
        end = match.end()
        if is_content:
            run.append(match)
        elif folded in _DETERMINERS:
            article = match.start() if article is None else article
        else:
            before, article = folded, None
            auxiliary = folded if folded in _AUXILIARIES else auxiliary
    return _without_last_verb(plain, parts, auxiliary)


def _without_last_verb(plain: str, parts: list[_Part], auxiliary: str) -> list[_Part]:
    """Return parts without a verb at the end of the question: "does the tide at porto turn"."""
    subject = next((part for part in parts if auxiliary and part.before == auxiliary), None)
    if subject is None or auxiliary in _PASSIVE or subject is parts[-1]:
        return parts
    following = _WORD.match(plain[subject.end :].lstrip())
    last = parts[-1]
    has_verb = following is None or following.group().lower() not in _PREPOSITIONS
    if has_verb or last.end != len(plain) or len(last.words) == 1:
        return parts
    end = last.end - len(last.words[-1])
    cut = replace(last, words=last.words[:-1], end=len(plain[:end].rstrip()))
    return [*parts[:-1], cut]


def _cut(
    run: list[regex.Match[str]], before: str, article: int | None, auxiliary: str, following: str
) -> Iterator[_Part]:
    """Yield a run without the verb at its end; codes, versions and years in it are parts."""
    last = run[-1].group().lower()
    is_subject = auxiliary != "" and before == auxiliary
    is_verb = is_subject and auxiliary not in _PASSIVE and following not in _VERBS
    is_participle = auxiliary in _PASSIVE and _PARTICIPLE.search(last) is not None
    if len(run) > 1 and (is_verb or is_participle):
        run = run[:-1]
    start = run[0].start() if article is None else article
    for number, piece in enumerate(_by_shape(run)):
        words = tuple(match.group() for match in piece)
        first = start if number == 0 else piece[0].start()
        yield _Part(piece[0].start(), piece[-1].end(), words, before, first)


def _by_shape(run: list[regex.Match[str]]) -> Iterator[list[regex.Match[str]]]:
    """Yield the stretches of a run that are codes, versions or years, and those between them."""
    for _, group in groupby(run, key=partial(_is_fixed, alone=len(run) == 1)):
        yield list(group)


def _is_fixed(match: regex.Match[str], *, alone: bool) -> bool:
    """Return True for a code, a version or a time; "day" is none before a noun ("day wards")."""
    word = match.group()
    is_noun = word.lower() in _TIME_NOUNS and not alone
    before = match.string[: match.start()].lower().split()
    if is_noun and (not before or before[-1] not in _BEFORE_TIMES):
        return False
    return _shape([word]) in _FIXED_SHAPES


def _with_chains(parts: list[_Part]) -> list[_Part]:
    """Return parts, and those joined by "of" as one: "records of children"."""
    chains = [
        _Part(one.start, other.end, (*one.words, *other.words), one.before, one.article_start)
        for one, other in pairwise(parts)
        if other.before == "of"
    ]
    return [*parts, *chains]


def _likeness(part: _Part, parts: list[_Part], bare: str, preposition: str) -> float:
    """Return how likely a fragment is to take the place of a part; 0 if it cannot."""
    new = [word for word in _WORD.findall(bare) if word.lower() not in _ARTICLES]
    own = _shape(part.words)
    is_verb = part.before == "to" and not own
    is_same = " ".join(new).lower() == " ".join(part.words).lower()
    # "in OpenAI" is no subject.
    is_subject = preposition != "" and part.before not in _PREPOSITIONS
    # "What port ..." asks for a port, of whatever "the metrics endpoint" is.
    is_asked_for = part.before in _ASKING and bare.partition(" ")[0].lower() in _ARTICLES
    if not new or is_verb or is_same or is_asked_for:
        return 0.0
    if is_subject and own not in _FIXED_SHAPES:
        return 0.0
    score = _likeness_of_words(part, new, is_chain=part not in parts)
    return score + _likeness_of_place(part, parts, preposition)


def _likeness_of_words(part: _Part, new: list[str], *, is_chain: bool) -> float:
    """Return how alike a part and the words of a fragment are: in shape, and in their noun."""
    own, wanted = _shape(part.words), _shape(new)
    score = 0.0
    if own != wanted:
        score += _OTHER_SHAPE if {own, wanted} & _FIXED_SHAPES else -0.3
    elif own:
        score += _SAME_SHAPE
    heads = {next(iter(analyse(word)), word.lower()) for word in new}
    return score + (_SAME_HEAD if part.head in heads and not is_chain else 0.0)


def _likeness_of_place(part: _Part, parts: list[_Part], preposition: str) -> float:
    """Return how likely a part is to be exchanged by where it stands in its question."""
    score = _SAME_PREPOSITION if preposition and part.before == preposition else 0.0
    if part not in parts:
        return score + (0.0 if preposition else _CHAIN)
    subjects = [each for each in parts if each.before in _AUXILIARIES]
    if subjects and part is subjects[0] and not preposition:
        score += _SUBJECT
    return score + (_OBJECT if part.before in _PREPOSITIONS else 0.0) + 0.2


def _shape(words: tuple[str, ...] | list[str]) -> str:
    """Return the shape of some words: a time, a code, a version, a name, or none."""
    if _is_time(words):
        return "time"
    if any(_VERSION.match(word) for word in words):
        return "version"
    if any(_CODE.match(word) for word in words):
        return "code"
    return "name" if all(word[0].isupper() for word in words) else ""


def _is_time(words: tuple[str, ...] | list[str]) -> bool:
    """Return True if words name a time: a year, a month, a quarter, "last time"."""
    folded = [word.lower() for word in words]
    if len(folded) <= 3 and _TIME_NOUNS.intersection(folded[-1:]):
        return True
    return any(
        _YEAR.match(word) or word in MONTH_NUMBERS or _QUARTER.match(word) or _WEEKDAY.match(word)
        for word in folded
    )
