"""The question: its validity, its form for the reader, and the kind of answer it asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.answer import Kind
from qa.errors import InvalidQuestion

MAX_CHARACTERS = 2000
"""Longest question; the encoder reads the first 256 tokens."""
_POLITE = re.compile(
    r"(?:please,? "
    r"|(?:can|could|would|will) you (?:please )?"
    r"(?=(?:tell|show|remind|explain|say|list|name|give|find)\b)"
    r"|(?:tell|show|remind|give)(?: me| us)?(?: please)?,? "
    r"(?=(?:who|whom|whose|what|which|when|where|why|how|the|all|some)\b)"
    r"|do you (?:know|remember) (?=wh|how)|i (?:want|would like|need) to know,? )+",
    re.IGNORECASE,
)
"""Polite words before the question itself."""
_YES_NO = re.compile(
    r"(?!.*\b(?:who|what|when|where)\W*$)"
    r"(?:so |and |but )?"
    r"(?!\w+ (?:is|are|was|were|am|do|does|did|has|have|had|should|shall|can|could|will|would)\b)"
    r"(?:(?:is|are|was|were|am|do|does|did|has|have|had|should|shall)(?:n[o'’]?t)?"
    r" [^\W\d]\S* .*[^\W\d]"
    r"|(?:can|could|will|would|may|might|must)(?:n[o'’]?t)? [^\W\d]\S* \w\S* \w.*)",
    re.IGNORECASE,
)
"""A question that opens with an auxiliary verb and a subject; "Was is the name" is a slip."""
_OR = re.compile(r"\bor\b", re.IGNORECASE)
_EXCEPTIONS = re.compile(
    r"(?!.*\bhow\b).*(?:\b(?:not|never|no|cannot|except|exceptions?|exempt|excluded)\b|n[’']t\b"
    r"|\bin (?:which|what) cases\b|\bunder (?:which|what) (?:conditions|circumstances)\b)",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:was|were|did|had|has|have|before|originally|used to|from|differ\w*|go(?:es)? up"
    r"|go(?:es)? down|chang\w+|rais\w+|ris(?:e|es|en|ing)|increas\w+|grow\w*|reduc\w+|lower\w*"
    r"|decreas\w+|cut|fall\w*|drop\w*)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_QUANTIFIERS = _words(
    "some all two three four five several many other various different main major the its their",
    "his her",
)
"""Words before the plural of a list ("What are the main risks")."""
_NO_NOUN = _words(
    "is was are were am be do does did has have had can could will would should may might must of",
    "in on at to for by from with and or that who which what it he she they we you i a an this",
    "these those there the all over during after before about into his her its their",
)
"""Words that do not continue a noun phrase."""
_AFTER_VERB = _words("the a an all over his her its their into this these those it us me them him")
"""Words that show the one before to be a verb ("What encircles the town")."""
_PLURALS = _words("people men women children criteria phenomena media mice feet teeth")
"""Plurals without an s."""
_SINGULARS = _words(
    "series species news physics mathematics economics politics happens means says causes hours",
    "times",
)
"""Singulars and verbs with an s, and plurals of one answer: the opening hours."""
_LIST_VERBS = frozenset({"list", "name", "enumerate"})


def checked_question(question: str) -> str:
    """Return the question without surrounding white space; raise InvalidQuestion if it is none."""
    if len(question) > MAX_CHARACTERS:
        raise InvalidQuestion(
            f"the question has {len(question):,} characters, the limit is {MAX_CHARACTERS:,}: "
            "ask for one thing"
        )
    if "\0" in question:
        raise InvalidQuestion("the question holds a NUL character: send plain text")
    if any("\ud800" <= character <= "\udfff" for character in question):
        raise InvalidQuestion(
            "the question holds a lone surrogate, which is no character: send valid Unicode"
        )
    if not question.strip():
        raise InvalidQuestion(
            'the question is empty: ask something like "How much will Amazon invest?"'
        )
    return question.strip()


def reader_question(question: str) -> str:
    """Return the question as a reader gets it in training and in use.

    It has no white space around it and no "?" at the end: of SQuAD's answerable questions 4.1% lack
    the sign, of the unanswerable ones 0.6%, and a reader would learn that. Case needs no folding
    here: the default model's tokenizer lower-cases.
    """
    return question.strip().rstrip("? \t\n").strip()


def kind_of(question: str) -> Kind:
    """Return the kind of answer that a question asks for, by its first words.

    A choice ("... or ...") is no yes-or-no question: like everything else it wants a span.
    """
    plain = _POLITE.sub("", question.strip(), count=1)
    is_choice = _OR.search(plain) is not None
    if _YES_NO.match(plain) and not is_choice:
        return "evidence"
    # In capitals throughout, case does not tell a name from a noun.
    words = _WORD.findall(plain.lower() if plain.isupper() else plain)
    return "list" if _wants_list(words) else "span"


def asks_for_exceptions(question: str) -> bool:
    """Return True for a question what is not so, or in which cases: part of it misleads."""
    return _EXCEPTIONS.match(question) is not None


def asks_of_change(question: str) -> bool:
    """Return True for a question for the past or for a change, where both its values count."""
    return _CHANGE.search(question) is not None


def _wants_list(words: Sequence[str]) -> bool:
    """Return True for "which risks ...", "what are the risks ..." or "name the risks ..."."""
    lower = [word.lower() for word in words]
    if not lower:
        return False
    if lower[0] in _LIST_VERBS:
        return _has_plural(lower[1:6])
    if lower[0] not in {"which", "what"}:
        return False
    if lower[1:2] in (["are"], ["were"]):
        is_quantified = len(lower) > 2 and lower[2] in _QUANTIFIERS
        return is_quantified and _has_plural(lower[3:6])
    return _opens_with_plural(words, lower)


def _opens_with_plural(words: Sequence[str], lower: Sequence[str]) -> bool:
    """Return True if a plural noun ends the noun phrase behind the question word.

    It must be among the next three words. Capitalised words are names, which may end in s.
    """
    for at, word in enumerate(lower[1:4], 1):
        if word in _NO_NOUN:
            return False
        if _is_plural(word) and words[at][0].islower():
            is_last = word in _PLURALS and len(lower) == at + 2
            return _ends_noun_phrase(lower[at + 1 : at + 3]) or is_last
    return False


def _ends_noun_phrase(following: Sequence[str]) -> bool:
    """Return True if the words behind a plural show it to be the last of its noun phrase.

    Such words are a known verb, or an unknown one before "the", "to" and the like.
    """
    if not following:
        return True
    if following[0] in _AFTER_VERB:
        return False
    return following[0] in _NO_NOUN or (len(following) > 1 and following[1] in _NO_NOUN)


def _has_plural(words: Sequence[str]) -> bool:
    return any(_is_plural(word) for word in words)


def _is_plural(word: str) -> bool:
    if word in _PLURALS:
        return True
    if len(word) <= 3 or word in _SINGULARS:
        return False
    return word[-1] == "s" and word[-2] not in "suia'"
