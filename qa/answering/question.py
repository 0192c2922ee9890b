"""What counts as a question: checked once, before anything is searched."""

from __future__ import annotations

import re

from qa.answer import Kind
from qa.errors import InvalidQuestion

MAX_CHARACTERS = 2000
"""Longer than any question; the encoder reads the first 256 tokens."""
_POLITE = re.compile(
    r"(?:please,? |(?:can|could|would|will) you (?:please )?(?=(?:tell|show|remind|explain|say|list|name|give|find)\b)"
    r"|(?:tell|show|remind|give)(?: me| us)?(?: please)?,? (?=(?:who|whom|whose|what|which|when|where|why|how|the|all|some)\b)"
    r"|do you (?:know|remember) (?=wh|how)|i (?:want|would like|need) to know,? )+",
    re.IGNORECASE,
)
"""What stands before the question itself."""
_YES_NO = re.compile(
    r"(?!.*\b(?:who|what|when|where)\W*$)"
    r"(?:so |and |but )?(?:(?:is|are|was|were|am|do|does|did|has|have|had|should|shall)(?:n[o'’]?t)? [^\W\d]\S* .*[^\W\d]"
    r"|(?:can|could|will|would|may|might|must)(?:n[o'’]?t)? [^\W\d]\S* [^\W\d]\S* \w.*)",
    re.IGNORECASE,
)
_OR = re.compile(r"\bor\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_FEW, _NO_NOUN, _VERB_BEFORE, _PLURALS, _SINGULARS = (
    frozenset(line.split())
    for line in (
        "some all two three four five several many other various different main major the its their his her",
        (
            "is was are were am be do does did has have had can could will would should may might must of in on at to for by from with and or that"
            " who which what it he she they we you i a an this these those there the all over during after before about into his her its their"
        ),
        "the a an all over his her its their into this these those",
        "people men women children criteria phenomena media mice feet teeth",
        "series species news physics mathematics economics politics happens means says causes",
    )
)
"""Words before the plural of a list; words that no noun phrase goes on with; words before which a
"plural" is a verb ("What encircles the town"); plurals without and singulars with an s.
"""


def checked_question(question: str) -> str:
    """The question without white space around it; raises InvalidQuestion."""
    if len(question) > MAX_CHARACTERS:
        raise InvalidQuestion(
            f"the question has {len(question):,} characters, the limit is {MAX_CHARACTERS:,}: ask for one thing"
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
    """What a reader is given in training and in use: no white space around it and no "?" at the
    end.

    Of SQuAD's answerable questions 4.1% lack the sign, of the unanswerable ones 0.6%: a reader
    would learn that. Case needs no folding here: the default model's tokenizer lower-cases.
    """
    return question.strip().rstrip("? \t\n").strip()


def kind_of(question: str) -> Kind:
    """What answers a question, by its first words; a choice ("... or ...") and everything else
    wants a span.
    """
    asked = _POLITE.sub("", question.strip(), count=1)
    if _YES_NO.match(asked) and not _OR.search(asked):
        return "evidence"
    return (
        "list"
        if _wants_list(_WORD.findall(asked.lower() if asked.isupper() else asked))
        else "span"
    )


def _wants_list(words: list[str]) -> bool:
    """Whether a question starts with "which risks ...", "what are the risks ..." or "name the risks
    ...".
    """
    lower = [word.lower() for word in words]
    if not words or lower[0] not in {"which", "what", "list", "name", "enumerate"}:
        return False
    if lower[0] not in {"which", "what"}:
        return any(map(_plural, lower[1:6]))
    if lower[1:2] in (["are"], ["were"]):
        return len(lower) > 2 and lower[2] in _FEW and any(map(_plural, lower[3:6]))
    for at, word in enumerate(lower[1:4], 1):
        if word in _NO_NOUN:
            return False
        if _plural(word) and words[at][0].islower():
            return _ends_noun(lower[at + 1 : at + 3]) or (word in _PLURALS and len(lower) == at + 2)
    return False


def _ends_noun(following: list[str]) -> bool:
    """Whether a plural is the last word of its noun phrase: before a verb that is known, or one
    before "the", "to" and the like.
    """
    if not following or following[0] in _VERB_BEFORE:
        return not following
    return following[0] in _NO_NOUN or (len(following) > 1 and following[1] in _NO_NOUN)


def _plural(word: str) -> bool:
    return word in _PLURALS or (
        len(word) > 3 and word[-1] == "s" and word[-2] not in "suia'" and word not in _SINGULARS
    )
