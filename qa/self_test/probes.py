"""Questions that the documents cannot answer: changed ones, and ones of other subjects.

Either names something of which no passage holds a word, so that any answer is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import regex

from index.search.bm25 import analyse
from index.store.snapshot import Snapshot
from qa.answering.languages import Languages
from qa.self_test.questions import SelfQuestion, answerable_questions

_CODE = regex.compile(r"\b(?=[\w-]*\d)(?=[\w-]*\p{Lu})[\w-]{3,}\b")
"""A code such as HX-40 or E07."""
_NAME = regex.compile(
    r"(?<=\b(?:of|by|at|in|for|from|with|to|the) )\p{Lu}[\p{L}-]{2,}(?: \p{Lu}[\p{L}-]+){0,2}"
)
"""A name within a question."""
_IN_TIME = regex.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|\p{L}+day).*")
"""A month or a day, without which a question may still be answered."""
_INVENTED = (
    "Quimby Zorvath", "Oltara Venn", "Brixmoor Tandel", "Yandro Pelliq", "Wexford Jubani",
    "Marzipol", "Drovnik", "Casperide", "Thulverne", "Zabrinka", "Ostelmo", "Fendrick Alloway",
)  # fmt: skip
"""Names of nobody and nothing."""
UNANSWERABLE = 0.25
"""Share of the questions that no document answers."""
_FOREIGN = (
    ("What is the population of Paraguay?", "Paraguay"),
    ("Who painted the Mona Lisa?", "Mona Lisa"),
    ("When did the volcano Krakatoa erupt?", "Krakatoa"),
    ("How long does a hummingbird live?", "hummingbird"),
    ("What is the boiling point of tungsten?", "tungsten"),
    ("Who won the Wimbledon final in 1987?", "Wimbledon"),
    ("How many moons does Neptune have?", "Neptune"),
    ("What is the recipe for bouillabaisse?", "bouillabaisse"),
    ("When was the Eiffel Tower built?", "Eiffel"),
    ("Which river flows through Baghdad?", "Baghdad"),
    ("Who composed The Magic Flute?", "Flute"),
    ("How deep is Lake Tanganyika?", "Tanganyika"),
    ("What do wombats eat?", "wombats"),
    ("How tall is the Matterhorn?", "Matterhorn"),
    ("Who discovered penicillin?", "penicillin"),
    ("What is the currency of Mongolia?", "Mongolia"),
    ("How many strings does a sitar have?", "sitar"),
    ("When did Byzantium fall?", "Byzantium"),
    ("What causes the northern lights?", "aurora borealis"),
    ("How fast does a cheetah run?", "cheetah"),
)
"""Questions of general knowledge, each with the word that shows whether documents hold it."""


def unanswerable_questions(
    made: Sequence[SelfQuestion], snapshot: Snapshot, most: int, seed: int
) -> list[SelfQuestion]:
    """Return at most so many questions that no document answers, two of three changed ones.

    `made` are answerable questions, of which names and codes are changed to unknown ones.
    """
    rng = random.Random(seed)
    changed = list(_changed(rng.sample(list(made), len(made)), snapshot, rng))
    foreign = [
        SelfQuestion(question, "other subject", made_from=key)
        for question, key in rng.sample(_FOREIGN, len(_FOREIGN))
        if not _is_held(key, snapshot)
    ]
    wanted = max(most - most // 3, most - len(foreign))
    chosen = changed[:wanted]
    return [*chosen, *foreign[: most - len(chosen)]]


def _changed(
    made: Sequence[SelfQuestion], snapshot: Snapshot, rng: random.Random
) -> Iterator[SelfQuestion]:
    """Yield questions about something else of the same kind, which no document names."""
    for each in made:
        code = _CODE.search(each.question)
        found = code or _NAME.search(each.question)
        if found is None or _IN_TIME.fullmatch(found[0]):
            continue
        other = _other_code(found[0], snapshot, rng) if code else _other_name(snapshot, rng)
        if other:
            question = each.question[: found.start()] + other + each.question[found.end() :]
            yield SelfQuestion(question, "unknown name", made_from=f"{found[0]} → {other}")


def _other_code(code: str, snapshot: Snapshot, rng: random.Random) -> str | None:
    """Return a code with other digits that no passage holds, None if a few tries found none."""
    for _ in range(8):
        other = regex.sub(r"\d", lambda _: str(rng.randint(1, 9)), code)
        if other != code and not _is_held(other, snapshot):
            return other
    return None


def _other_name(snapshot: Snapshot, rng: random.Random) -> str | None:
    names = [name for name in _INVENTED if not _is_held(name, snapshot)]
    return rng.choice(names) if names else None


def _is_held(text: str, snapshot: Snapshot) -> bool:
    """Return True if any passage holds a word of a text."""
    return any(snapshot.lexical.holds(term) for term in analyse(text))


def planned_questions(
    snapshot: Snapshot, languages: Languages, count: int, seed: int
) -> list[SelfQuestion]:
    """Return the questions of a self-test in the order of asking, a quarter of them unanswerable.

    The unanswerable ones stand between the others, so that a run that is cut short has asked both.
    """
    others = max(1, round(count * UNANSWERABLE))
    ours = answerable_questions(snapshot, languages, count - others, seed)
    probes = unanswerable_questions(ours, snapshot, others, seed)
    planned = [*ours, *probes]
    random.Random(seed).shuffle(planned)
    return planned
