"""Phrases of a question or an answer: runs of content words and the names in them, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from index.search.bm25 import STOP_WORDS, analyse

_NEAR = 3
"""Words from an attribute to its owner, with "of the" between them."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\p{Sc}](?:[\p{L}\p{M}\p{N}'’.,&-]*[\p{L}\p{M}\p{N}%])?")
_BREAK = regex.compile(r"[,;:.?!()\[\]\"“”]")
_FULL_STOP = regex.compile(r"[.?!]")
_POSSESSIVE = regex.compile(r"['’]s$")
_CONTRACTION = regex.compile(r"n['’]t$|^i['’]")
_FRAME = frozenset(
    """
    about after again all also another any anyone anything april article aspect aspects august
    bad became because become before began begin beginning besides best between both came can
    come common could december describe detail details did difference different discuss do does
    doing done down during each else end even ever every everyone everything example examples
    explain fact facts famous february first found friday get gets getting give go going good
    got great happen happened happening happens her here him his important information instead
    interesting its january july june just kind kinds know known last least let like list long
    lot lots made main make makes many march may me mean meaning means might monday more most
    much must name named names new next no nobody nothing november now october often old one
    only other others out over part people per person place please popular really reason reasons
    result results said same saturday say september shall should show significant some someone
    something sort sorts start started still such sunday take tell their then there thing things
    think thought three time times took tuesday two type types typical under until up use used
    using very was way ways wednesday well went while within without work worked works year
    years yes yet
    """.split()  # noqa: SIM905 - shorter
)
"""Words beside STOP_WORDS that ask, or say too little to be the topic of a conversation."""
_TOPIC = frozenset({"about", "by", "for", "of", "with"})
_PLACE = frozenset({"at", "during", "from", "in", "into", "near", "on", "to"})
_BE = frozenset({"are", "had", "has", "have", "is", "was", "were"})
_ARTICLES = frozenset({"a", "an", "the"})
_FRAME_VERBS = frozenset(
    {"become", "begin", "come", "do", "end", "get", "give", "go", "happen", "make", "mean", "start"}
    | {"take", "use", "work"}
)
"""Verbs among the words that say too little to be a topic."""
_AUXILIARY = frozenset(
    {"can", "could", "did", "do", "does", "may", "might", "must", "should", "will", "would"}
)


_BEFORE_VERBS = _AUXILIARY | {"who", "to", "which", "that"}
"""Words after which a single word before an article is a verb."""
_PRONOUNS = frozenset({"i", "you", "we", "they", "he", "she"})
_ASKS_IF_IS = regex.compile(r"^\W*(?:(?:and|but|so) )?(?:is|are|was|were) ", regex.IGNORECASE)
_PARTICIPLE = regex.compile(r"^\p{Ll}+(?:ed|en)$|^(?:kept|sent|held|made|done|paid|sold|built)$")


class Phrase(NamedTuple):
    """A run of content words in a text.

    `role` is 1 for a topic, -1 for an attribute of something or a place, 0 for anything else.
    `depth`, in [0, 1], is its place in the text; `definite` if "the" stands before it.
    """

    stems: frozenset[str]
    text: str
    is_name: bool
    role: int
    depth: float
    definite: bool = False

    @property
    def with_article(self) -> str:
        """Text of the phrase, after "the" if that stood before it."""
        return f"the {self.text}" if self.definite else self.text


class _Token(NamedTuple):
    """A content word of a run.

    `before` is the word before the run, `at` the number of the word in the text, `is_capital` if it
    may be a part of a name, and `after_auxiliary` if an auxiliary verb stands before it.
    """

    word: str
    before: str
    at: int
    is_capital: bool
    after_auxiliary: bool


_Run = list[_Token]


class _Word(NamedTuple):
    """A word as it is written and folded, the offset of its end, and what stands before it."""

    text: str
    folded: str
    end: int
    opens_sentence: bool
    follows_break: bool


@lru_cache(maxsize=4096)
def phrases(text: str, *, names_only: bool = False) -> tuple[Phrase, ...]:
    """Return the phrases of a text in order: runs of content words, and the names within them."""
    runs, word_count = _runs(text)
    if runs and _ASKS_IF_IS.match(text):
        runs[0] = _without_predicate(runs[0])
    result: list[Phrase] = []
    for number, run in enumerate(runs):
        following = runs[number + 1] if number + 1 < len(runs) else None
        role = _role(run, following)
        for part, is_name in _parts(_without_verb(run), names_only=names_only):
            joined = " ".join(token.word for token in part)
            stems = frozenset(analyse(joined))
            if stems:
                # The article before a run belongs to its first word alone.
                definite = part[0] is run[0] and run[0].before.endswith("the")
                depth = part[0].at / max(word_count, 1)
                result.append(Phrase(stems, joined, is_name, role, depth, definite))
    return tuple(result)


def _without_predicate(run: _Run) -> _Run:
    """Return the subject of a question for yes or no: "is parking free" speaks of parking."""
    has_name = any(token.is_capital for token in run)
    return run if has_name or len(run) == 1 else run[:-1]


def is_frame_word(word: str) -> bool:
    """Return True for a word that only asks, or could be said of anything."""
    return word.casefold() in _FRAME


def _runs(text: str) -> tuple[list[_Run], int]:
    """Return the longest runs of content words, and the number of words."""
    words = list(_words(text))
    runs: list[_Run] = [[]]  # the last one is open; empty ones are dropped at the end
    before, after_auxiliary = "", False
    for at, word in enumerate(words):
        if word.follows_break:
            runs.append([])
        run = runs[-1]
        if _is_verb(run, word):
            # "who can pin a bundle" speaks of a bundle.
            runs[-1] = run = []
        if _is_content_word(word.folded):
            bare = _POSSESSIVE.sub("", word.text)
            run_before = run[0].before if run else before
            run.append(_Token(bare, run_before, at, _is_capital(word, text), after_auxiliary))
        elif _joins_name(word, run, text):
            run[-1] = run[-1]._replace(word=f"{run[-1].word} of", at=at)
        else:
            run[:1] = _before_verb(run[:1], word)
            runs.append([])
        if _POSSESSIVE.search(word.text):
            # What belongs to an owner is another phrase: "Amazon's revenue" has two.
            runs.append([])
        after_auxiliary = after_auxiliary or word.folded in _AUXILIARY
        before = _context(word, before)
    return [run for run in runs if run], len(words)


def _before_verb(first: _Run, following: _Word) -> _Run:
    """Return the first word of a run, of the whole subject if its verb follows.

    In "does the lead course take place" that is "take".
    """
    if following.folded not in _FRAME_VERBS:
        return first
    return [token._replace(before=token.before.partition(" ")[2]) for token in first]


def _is_verb(run: _Run, following: _Word) -> bool:
    """Return True if a run is the verb of "who wrote the ...", "can pin a ..." or "I eat"."""
    if len(run) != 1 or run[0].is_capital:
        return False
    if run[0].before in _PRONOUNS:
        return True
    return following.folded in _ARTICLES and run[0].before in _BEFORE_VERBS


def _words(text: str) -> Iterator[_Word]:
    """Yield the words of a text in order."""
    end = 0
    for number, match in enumerate(_WORD.finditer(text)):
        gap, word = text[end : match.start()], match.group()
        end = match.end()
        folded = _POSSESSIVE.sub("", word.casefold())
        opens_sentence = number == 0 or _FULL_STOP.search(gap) is not None
        follows_break = opens_sentence or _BREAK.search(gap) is not None
        yield _Word(word, folded, end, opens_sentence, follows_break)


def _context(word: _Word, before: str) -> str:
    """Return what the next word knows of the words before it: this one, or "did the"."""
    # Behind an article the auxiliary still shows that a verb will come (see `_without_verb`).
    if word.folded in _ARTICLES and before in _AUXILIARY:
        return f"{before} {word.folded}"
    return word.folded


def _is_content_word(folded: str) -> bool:
    is_function_word = folded in STOP_WORDS or folded in _FRAME
    return not is_function_word and not _CONTRACTION.search(folded)


def _is_capital(word: _Word, text: str) -> bool:
    """Return True if a word may be a part of a name.

    The first word of a sentence is capitalised anyway: it counts in capitals throughout, or if
    another capital follows.
    """
    if not word.text[0].isupper():
        return False
    is_acronym = len(word.text) > 1 and word.text.isupper()
    return not word.opens_sentence or is_acronym or _capital_follows(text, word.end)


def _joins_name(word: _Word, run: _Run, text: str) -> bool:
    """Return True for the "of" within a name ("Bank of England")."""
    if word.folded != "of" or not run:
        return False
    return run[-1].is_capital and _capital_follows(text, word.end)


def _capital_follows(text: str, end: int) -> bool:
    return text[end:].lstrip()[:1].isupper()


def _role(run: _Run, following: _Run | None) -> int:
    """Return the role of a run's phrases (see `Phrase`)."""
    if run[0].before in _TOPIC:
        return 1
    is_attribute = (
        following is not None
        and following[0].before == "of"
        and following[0].at - run[-1].at <= _NEAR
    )
    return -1 if is_attribute or run[0].before in _PLACE else 0


def _parts(run: _Run, *, names_only: bool) -> list[tuple[_Run, bool]]:
    """Return a run and the names within it, each with True if it is or holds a name."""
    names = _names(run)
    is_one_name = bool(names) and len(names[0]) == len(run)
    parts = [(name, True) for name in names if len(name) < len(run)]
    if is_one_name or not names_only:
        parts.insert(0, (run, bool(names)))
    return parts


def _without_verb(run: _Run) -> _Run:
    """Return the subject at the start of a run.

    After "did" or "will" the subject is followed by a verb, after "is" by a predicate: "did Amazon
    invest" speaks of Amazon.
    """
    verb = run[0].before.partition(" ")[0]
    capitals = [at for at, token in enumerate(run) if token.is_capital]
    if capitals and (run[0].after_auxiliary or verb in _BE):
        return run[: capitals[-1] + 1]
    is_passive = verb in _BE and len(run) > 1 and _PARTICIPLE.match(run[-1].word)
    if is_passive:
        return run[:-1]
    return run[:-1] if verb in _AUXILIARY and len(run) > 1 else run


def _names(run: Sequence[_Token]) -> list[_Run]:
    """Return the longest stretches of capitalised words."""
    names: list[_Run] = []
    in_name = False
    for token in run:
        if token.is_capital and in_name:
            names[-1].append(token)
        elif token.is_capital:
            names.append([token])
        in_name = token.is_capital
    return names
