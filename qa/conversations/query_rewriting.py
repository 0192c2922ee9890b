"""How a follow-up reads as a question of its own: the ways in which what it leaves out can be put
back, likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from qa.conversations.ellipsis import OPENING, is_closed, is_elliptic, left_out
from qa.conversations.phrases import Phrase, phrases

MAX_READINGS = 4
"""Ways in which a question is tried, itself included."""
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
)
_NOUN = rf"(?!{_AUXILIARY}\b)\p{{Ll}}+"
_WH = (
    rf"(?:how (?:many|much|long|often|far|old|big|large|high)(?: {_NOUN})?|what kind of {_NOUN}|(?:what|which) {_NOUN}"
    r"|who|whom|whose|what|which|when|where|why|how)"
)
_ASKS = regex.compile(rf"^\W*{_WH}\b", regex.IGNORECASE)
_BARE = regex.compile(
    rf"^\W*(?P<wh>{_WH}|how come|why not)(?:\s+(?:so|then|that|else|\p{{Ll}}+ly))?\W*$",
    regex.IGNORECASE,
)
_FRAMED = regex.compile(rf"^\W*{_WH}\s+(?P<rest>{_AUXILIARY}\b.*)$", regex.IGNORECASE)
_FRAGMENT = regex.compile(
    rf"^\W*(?P<wh>{_WH})\s+(?P<rest>(?:(?!{_AUXILIARY}\b)[^\s?]+\s*){{1,3}})\W*$", regex.IGNORECASE
)
"""A question word and an adverb or an object, without a verb that is known: "how much initially".
"""
_YES_NO = regex.compile(rf"^\W*{_AUXILIARY}\b", regex.IGNORECASE)
_PREPOSITION = regex.compile(
    r"^(?P<word>in|on|at|for|from|to|into|by|with|about|after|before|during|since|under)\b",
    regex.IGNORECASE,
)
_POSSESSIVE = regex.compile(r"\b(?:his|its|their|theirs|hers|her(?=\s+\p{L}))\b", regex.IGNORECASE)
_DEMONSTRATIVE = regex.compile(
    r"\b(?:this|that|these|those)\b(?!\s+\p{L}+(?:s|ion|ment)\b)", regex.IGNORECASE
)
_PERSONAL = regex.compile(
    r"\b(?:he|him|she|her|it|they|them|this one|that one|this|that|these|those)\b", regex.IGNORECASE
)


def readings(question: str, turns: Sequence[tuple[str, str]]) -> list[str]:
    """The ways to read a question, likeliest first, at most `MAX_READINGS`; the question as it is
    stands among them, unless it says nothing alone.

    `turns` are (question as it was understood, answer or ""), oldest first.
    """
    alone = question.strip()
    if not turns or is_closed(alone):
        return [alone]
    contextual = [
        *_from_the_last(alone, turns),
        *_pointed(alone, turns[-1]),
        *_completed(_without_opening(alone), left_out(alone, turns)),
    ]
    ways = list(dict.fromkeys(contextual))[: MAX_READINGS - 1]
    if is_elliptic(alone):
        return [*ways, *([alone] if phrases(alone) or not ways else [])]
    return [alone, *ways]


def _from_the_last(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The last questions asked again of something else ("And in OpenAI?"), or in another way
    ("Why?").
    """
    bare, rest = _BARE.match(question), _without_opening(question)
    fragment = _FRAGMENT.match(rest)
    goes_on = rest != question or _PREPOSITION.match(question)
    if not (bare or fragment) and (
        not goes_on or not is_elliptic(question) or _ASKS.match(rest) or _YES_NO.match(rest)
    ):
        return
    for asked, _ in reversed(turns[-2:]):
        if bare:
            yield from _asked_otherwise(bare["wh"], asked)
        elif fragment:
            yield from _asked_otherwise(fragment["wh"], asked, fragment["rest"])
        else:
            yield from _asked_of(rest, asked)


def _asked_otherwise(wh: str, asked: str, more: str = "") -> Iterator[str]:
    """Like "Why?" after "How much will Amazon invest?": "Why will Amazon invest?"; `more` is what
    the fragment says beside.
    """
    framed = _FRAMED.match(asked)
    if framed:
        yield _with_end(f"{wh.capitalize()} {framed['rest']}", more)
    elif _YES_NO.match(asked):
        yield _with_end(f"{wh.capitalize()} {asked[0].lower()}{asked[1:]}", more)


def _with_end(question: str, more: str) -> str:
    return f"{question.rstrip('?!. ')} {more.rstrip('?!. ')}?" if more else question


def _asked_of(rest: str, asked: str) -> Iterator[str]:
    """A question with something else in the place of what it asked about."""
    rest, plain = rest.rstrip("?!. "), asked.rstrip("?!. ")
    preposition = _PREPOSITION.match(rest)
    if preposition:
        rest = rest[0].lower() + rest[1:]
        there = regex.search(rf"\b{preposition['word']}\b\s+(?:the\s+)?", plain, regex.IGNORECASE)
        following = (
            [
                phrase
                for phrase in phrases(plain[there.end() :])
                if plain[there.end() :].startswith(phrase.text)
            ]
            if there
            else []
        )
        if there and following:
            longest = max(following, key=lambda phrase: len(phrase.text))
            yield f"{plain[: there.start()]}{rest}{plain[there.end() + len(longest.text) :]}?"
        else:
            names = [phrase for phrase in phrases(plain) if phrase.is_name]
            yield f"{plain} {rest}?"
            if len(names) > 1:
                yield f"{plain.replace(names[-1].text, _without_preposition(rest))}?"
        return
    new = phrases(
        f"about {rest}"
    )  # the first word of a fragment is capitalised for being a name only
    alike = [
        phrase
        for phrase in phrases(plain)
        if new and phrase.is_name == new[0].is_name and phrase.text in plain
    ]
    for phrase in sorted(alike, key=lambda phrase: -phrase.role)[:2]:
        replaced = (
            phrase.said if rest.lower().startswith("the ") and phrase.said in plain else phrase.text
        )
        yield f"{plain.replace(replaced, rest)}?"


def _pointed(question: str, last: tuple[str, str]) -> Iterator[str]:
    """With what was asked for last in the place of "this" or "that", which point at things rather
    than at people.
    """
    things = [phrase for phrase in phrases(last[0]) if not phrase.is_name]
    if things and _DEMONSTRATIVE.search(question):
        yield _put(_DEMONSTRATIVE, things[-1].said, question)


def _completed(question: str, missing: Sequence[Phrase]) -> Iterator[str]:
    """The question with what it leaves out in the place of a pronoun, or behind it."""
    if not missing:
        return
    for phrase in missing[:2]:
        replaced = _put(_POSSESSIVE, _of(phrase.said), question)
        if replaced == question:
            replaced = _put(_PERSONAL, phrase.said, question)
        if replaced != question:
            yield replaced
    plain = question.rstrip("?!. ")
    yield f"{plain} ({', '.join(phrase.text for phrase in missing)})?"


def _put(pattern: regex.Pattern[str], text: str, question: str) -> str:
    """The text in the place of the first match."""
    return pattern.sub(lambda _: text, question, count=1)


def _of(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _without_opening(question: str) -> str:
    return OPENING.sub("", question, count=1).strip() or question


def _without_preposition(rest: str) -> str:
    return _PREPOSITION.sub("", rest, count=1).strip()
