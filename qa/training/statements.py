"""Synthetic yes-or-no questions made from sentences of the passages.

"The tower was built in 1889 for the fair" gives "Was the tower built in 1889 for the fair" with the
span "built in 1889 for the fair". In a share of the questions a number or name is replaced by
another, or a relation by its opposite: the same words then settle the question with no. Another
share is asked of a passage that does not settle it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.text.sentences import sentence_spans
from qa.training.data import CharSpan, Example
from qa.training.swaps import OPPOSITE, Term, content_words, terms_of

SOURCE = "statements"
"""Data set that these questions form."""
CONTRADICTED, UNANSWERABLE = 0.3, 0.3
"""Shares of the questions that are answered with no, and that are asked of another passage."""
_IRREGULAR = """
rose/rise fell/fall became/become began/begin won/win lost/lose led/lead made/make took/take
gave/give held/hold built/build wrote/write left/leave met/meet grew/grow came/come went/go
found/find saw/see sold/sell bought/buy spent/spend said/say kept/keep brought/bring
"""
_SILENT_E = re.compile(
    r"(?:[^s]s|[aeiou]c|nc|[dnr]g|ag|[uvze]|[bcdfgkpt]l|[^aeiou][aiu]d|[aou]t|[^aeiou][aiou][km]"
    r"|(?:ui|[^aeiou][aiu])r|[^aeiou][aiu]b|[^aeiou][ai]n)$"
)
"""Stems that lost an e before "ed".

Examples: closed, placed, managed, solved, settled, included, created, named, required, combined.
"""
_PAST: dict[str, str] = dict(re.findall(r"(\S+)/(\S+)", _IRREGULAR))
"""Infinitive by irregular past form."""
_STATEMENT = re.compile(
    r"(?P<subject>[A-Z][\w'’.-]*"
    r"(?: (?!(?:who|which|that|if|when|while|as|and|but)\b)[\w'’.-]+){0,6}?) "
    r"(?P<verb>is|was|are|were|has|have|had|can|could|will|would|must|may|might|[a-z]{2,}ed|"
    + "|".join(_PAST)
    + r") "
    r"(?P<rest>(?!n[o']t\b)[^,;:()\[\]\"“”]{12,120}?)"
    r"(?=[,;:.(]|$| which | who | because | although | while )"
)
_OPENERS = re.compile(
    r"^(?:However|Although|While|When|If|In|On|At|As|After|Before"
    r"|It|They|He|She|There|This|These|That|Its|Their)\b"
)
_PARTICIPLE = re.compile(
    r"(?:\w+ly )?(?:\w+ed|been|made|known|become|had|seen|found|given|taken|written|built|held"
    r"|won|led|begun|grown)\b"
)
_LONGEST = 24
"""Most words of a question."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Subject, verb and rest of a sentence; `span` is where the answer stands in the passage."""

    subject: str
    verb: str
    rest: str
    span: CharSpan

    @property
    def question(self) -> str:
        """The statement as a question, without "?", as the reader is given all questions."""
        first, _, others = self.subject.partition(" ")
        subject = f"the {others}" if first == "The" else self.subject
        infinitive = _infinitive(self.verb)
        return (
            f"Did {subject} {infinitive} {self.rest}"
            if infinitive
            else f"{self.verb.capitalize()} {subject} {self.rest}"
        )


def statement_questions(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return synthetic yes-or-no examples, `share` times as many as there are answerable ones.

    There are fewer if not so many can be made.
    """
    rng = random.Random(seed)
    articles: dict[str, list[str]] = {}
    for title, passage in dict.fromkeys((example.title, example.passage) for example in examples):
        articles.setdefault(title, []).append(passage)
    wanted = round(share * sum(bool(example.spans) for example in examples))
    passages = [(title, passage) for title, texts in articles.items() for passage in texts]
    rng.shuffle(passages)
    made: list[Example] = []
    for number, (title, passage) in enumerate(passages):
        if len(made) >= wanted:
            break
        found = list(statements_of(passage))
        if found:
            made.append(
                _example(
                    title, passage, rng.choice(articles[title]), rng.choice(found), number, rng
                )
            )
    return made


def statements_of(passage: str) -> Iterator[Statement]:
    """Yield the sentences of a passage that can be turned into a question.

    They have a short subject, then a form of be or have, a modal verb or a past form.
    """
    for first, last in sentence_spans(passage):
        match = _STATEMENT.match(passage, first, last)
        if (
            match is None
            or _OPENERS.match(match["subject"])
            or len(match.group().split()) > _LONGEST
        ):
            continue
        # "Has the firm 40 people" is no question that anybody asks; "has the firm built" is.
        if match["verb"] in {"has", "have", "had"} and not _PARTICIPLE.match(match["rest"]):
            continue
        start = match.start("verb") if _infinitive(match["verb"]) else match.start("rest")
        yield Statement(match["subject"], match["verb"], match["rest"], (start, match.end("rest")))


def _infinitive(verb: str) -> str:
    """Return the infinitive of a past form, by the usual spelling.

    Empty for forms of be and have and for modal verbs.
    """
    if verb in _PAST:
        return _PAST[verb]
    if not verb.endswith("ed"):
        return ""
    stem = verb.removesuffix("ed")
    if stem.endswith("i"):
        return f"{stem[:-1]}y" if len(stem) > 2 else f"{stem}e"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    return f"{stem}e" if _SILENT_E.search(stem) else stem


def _example(
    title: str, passage: str, other: str, statement: Statement, number: int, rng: random.Random
) -> Example:
    drawn = rng.random()
    identity, question = f"{SOURCE}/{number}", statement.question
    stated = content_words(statement.rest)
    if drawn < UNANSWERABLE and len(stated & content_words(other)) < len(stated) / 2:
        return Example(identity, SOURCE, title, question, other, ())
    if drawn < UNANSWERABLE + CONTRADICTED:
        question = _contradicted(question, statement.rest, terms_of(other), rng)
    return Example(identity, SOURCE, title, question, passage, (statement.span,))


def _contradicted(question: str, rest: str, terms: Sequence[Term], rng: random.Random) -> str:
    """Return the question with a name, number or relation of its rest changed, if there is one."""
    for old in terms_of(rest):
        new = sorted(
            {term.text for term in terms if term.kind == old.kind and term.text != old.text}
        )
        if new:
            return question.replace(old.text, rng.choice(new))
    for word in rest.split():
        if word.lower() in OPPOSITE:
            return re.sub(rf"\b{re.escape(word)}\b", OPPOSITE[word.lower()], question, count=1)
    return question
