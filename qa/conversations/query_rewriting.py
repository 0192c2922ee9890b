"""Query rewriting: a follow-up question as questions that can be understood alone.

A follow-up can be completed in several ways; each is a rewrite, likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from qa.conversations.ellipsis import OPENING, is_elliptic, is_self_contained, missing_phrases
from qa.conversations.phrases import Phrase, phrases

MAX_REWRITES = 4
"""Largest number of ways in which a question is tried, itself included."""
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
)
_NOUN = rf"(?!{_AUXILIARY}\b)\p{{Ll}}+"
_WH = (
    rf"(?:how (?:many|much|long|often|far|old|big|large|high)(?: {_NOUN})?"
    rf"|what kind of {_NOUN}|(?:what|which) {_NOUN}"
    r"|who|whom|whose|what|which|when|where|why|how)"
)
_STARTS_WITH_WH = regex.compile(rf"^\W*{_WH}\b", regex.IGNORECASE)
_BARE_WH = regex.compile(
    rf"^\W*(?P<wh>{_WH}|how come|why not)(?:\s+(?:so|then|that|else|\p{{Ll}}+ly))?\W*$",
    regex.IGNORECASE,
)
_FULL_QUESTION = regex.compile(rf"^\W*{_WH}\s+(?P<rest>{_AUXILIARY}\b.*)$", regex.IGNORECASE)
_WH_FRAGMENT = regex.compile(
    rf"^\W*(?P<wh>{_WH})\s+(?P<rest>(?:(?!{_AUXILIARY}\b)[^\s?]+\s*){{1,3}})\W*$", regex.IGNORECASE
)
"""A question word with an adverb or an object and no known verb: "how much initially"."""
_YES_NO = regex.compile(rf"^\W*{_AUXILIARY}\b", regex.IGNORECASE)
_PREPOSITION = regex.compile(
    r"^(?P<word>in|on|at|for|from|to|into|by|with|about|after|before|during|since|under)\b",
    regex.IGNORECASE,
)
_POSSESSIVE = regex.compile(r"\b(?:his|its|their|theirs|hers|her(?=\s+\p{L}))\b", regex.IGNORECASE)
_DEMONSTRATIVE = regex.compile(
    r"\b(?:this|that|these|those)\b(?!\s+\p{L}+(?:s|ion|ment)\b)", regex.IGNORECASE
)
_ANY_PRONOUN = regex.compile(
    r"\b(?:he|him|she|her|it|they|them|this one|that one|this|that|these|those)\b", regex.IGNORECASE
)


def rewrites(question: str, turns: Sequence[tuple[str, str]]) -> list[str]:
    """Return the ways to read a question, likeliest first, at most `MAX_REWRITES`.

    The question as it stands is among them, unless it says nothing alone. `turns` are (question as
    it was understood, answer or ""), oldest first.
    """
    alone = question.strip()
    if not turns or is_self_contained(alone):
        return [alone]
    contextual = [
        *_from_last_questions(alone, turns),
        *_with_last_object(alone, turns[-1]),
        *_completed(_without_opening(alone), missing_phrases(alone, turns)),
    ]
    distinct = list(dict.fromkeys(contextual))[: MAX_REWRITES - 1]
    if not is_elliptic(alone):
        return [alone, *distinct]
    says_something = bool(phrases(alone))
    return [*distinct, alone] if says_something or not distinct else distinct


def _from_last_questions(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the last two questions, asked of something else or in another way.

    "And in OpenAI?" asks the same of something else, "Why?" in another way.
    """
    rest = _without_opening(question)
    bare, fragment = _BARE_WH.match(question), _WH_FRAGMENT.match(rest)
    last_questions = [asked for asked, _ in reversed(turns[-2:])]
    if bare:
        for asked in last_questions:
            yield from _with_question_word(bare["wh"], asked)
    elif fragment:
        for asked in last_questions:
            yield from _with_question_word(fragment["wh"], asked, fragment["rest"])
    elif _replaces_a_part(question, rest):
        for asked in last_questions:
            yield from _with_part_replaced(rest, asked)


def _replaces_a_part(question: str, rest: str) -> bool:
    """Return True for a follow-up that names another part of the last question ("And in Oslo?").

    `rest` is the question without its opening words.
    """
    continues = rest != question or _PREPOSITION.match(question) is not None
    if not continues or not is_elliptic(question):
        return False
    is_own_question = _STARTS_WITH_WH.match(rest) or _YES_NO.match(rest)
    return not is_own_question


def _with_question_word(wh: str, asked: str, more: str = "") -> Iterator[str]:
    """Yield an earlier question with another question word.

    "Why?" after "How much will Amazon invest?" is "Why will Amazon invest?"; `more` are the further
    words of the follow-up.
    """
    full = _FULL_QUESTION.match(asked)
    if full:
        yield _with_end(f"{wh.capitalize()} {full['rest']}", more)
    elif _YES_NO.match(asked):
        yield _with_end(f"{wh.capitalize()} {asked[0].lower()}{asked[1:]}", more)


def _with_end(question: str, more: str) -> str:
    return f"{_unpunctuated(question)} {_unpunctuated(more)}?" if more else question


def _with_part_replaced(rest: str, asked: str) -> Iterator[str]:
    """Yield an earlier question with one of its parts replaced by that of a follow-up."""
    part, plain = _unpunctuated(rest), _unpunctuated(asked)
    preposition = _PREPOSITION.match(part)
    if preposition:
        part = part[0].lower() + part[1:]
        yield from _with_prepositional_phrase(part, preposition["word"], plain)
    else:
        yield from _with_noun_phrase(part, plain)


def _with_prepositional_phrase(part: str, preposition: str, plain: str) -> Iterator[str]:
    """Yield a question with "in Oslo" in the place of its "in Paris", else behind it."""
    match = regex.search(rf"\b{preposition}\b\s+(?:the\s+)?", plain, regex.IGNORECASE)
    replaced = _phrase_at_start(plain[match.end() :]) if match else None
    if match and replaced:
        yield f"{plain[: match.start()]}{part}{plain[match.end() + len(replaced.text) :]}?"
        return
    yield f"{plain} {part}?"
    names = [phrase for phrase in phrases(plain) if phrase.is_name]
    if len(names) > 1:
        # The last name of several may be what is replaced, though without a preposition.
        yield f"{plain.replace(names[-1].text, _without_preposition(part))}?"


def _phrase_at_start(text: str) -> Phrase | None:
    """Return the longest phrase with which a text starts."""
    starting = [phrase for phrase in phrases(text) if text.startswith(phrase.text)]
    return max(starting, key=lambda phrase: len(phrase.text), default=None)


def _with_noun_phrase(part: str, plain: str) -> Iterator[str]:
    """Yield a question with a phrase in the place of one like it: a name for a name."""
    # Behind "about" a capital is that of a name, not of the first word of a fragment.
    new = phrases(f"about {part}")
    if not new:
        return
    alike = [
        phrase
        for phrase in phrases(plain)
        if phrase.is_name == new[0].is_name and phrase.text in plain
    ]
    has_article = part.lower().startswith("the ")
    for phrase in sorted(alike, key=lambda phrase: -phrase.role)[:2]:
        replaces_article = has_article and phrase.with_article in plain
        replaced = phrase.with_article if replaces_article else phrase.text
        yield f"{plain.replace(replaced, part)}?"


def _with_last_object(question: str, last: tuple[str, str]) -> Iterator[str]:
    """Yield a question with the last thing asked about in the place of "this" or "that".

    Such words point at things rather than at people.
    """
    things = [phrase for phrase in phrases(last[0]) if not phrase.is_name]
    if things and _DEMONSTRATIVE.search(question):
        yield _with_first_replaced(_DEMONSTRATIVE, things[-1].with_article, question)


def _completed(question: str, missing: Sequence[Phrase]) -> Iterator[str]:
    """Yield a question with its missing phrases in the place of a pronoun, or behind it."""
    if not missing:
        return
    for phrase in missing[:2]:
        possessive = _possessive(phrase.with_article)
        replaced = _with_first_replaced(_POSSESSIVE, possessive, question)
        if replaced == question:
            replaced = _with_first_replaced(_ANY_PRONOUN, phrase.with_article, question)
        if replaced != question:
            yield replaced
    added = ", ".join(phrase.text for phrase in missing)
    yield f"{_unpunctuated(question)} ({added})?"


def _with_first_replaced(pattern: regex.Pattern[str], text: str, question: str) -> str:
    """Return the question with the text in the place of the first match."""
    # A function, because backslashes in a replacement text would be read as escapes.
    return pattern.sub(lambda _: text, question, count=1)


def _possessive(name: str) -> str:
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _unpunctuated(question: str) -> str:
    return question.rstrip("?!. ")


def _without_opening(question: str) -> str:
    return OPENING.sub("", question, count=1).strip() or question


def _without_preposition(part: str) -> str:
    return _PREPOSITION.sub("", part, count=1).strip()
