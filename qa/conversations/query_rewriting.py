"""Query rewriting: a follow-up question as questions that can be understood alone.

A follow-up can be completed in several ways; each is a rewrite, likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import regex

from qa.conversations.ellipsis import OPENING, is_elliptic, is_self_contained, missing_phrases
from qa.conversations.openings import opened, with_item
from qa.conversations.part_replacement import starts_with_preposition, with_part_replaced
from qa.conversations.phrases import Phrase, phrases

MAX_REWRITES = 4
"""Largest number of ways in which a question is tried, itself included."""
MOST_ADDED = 2
"""Largest number of phrases that a question is completed with."""
ENOUGH_STEMS = 2
"""Different stems in the phrases of a question that says what it is about."""
_AUXILIARY = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
)
_NOUN = rf"(?!{_AUXILIARY}\b)\p{{Ll}}+"
_WH = (
    rf"(?:how (?:many|much|long|often|far|old|big|large|high)(?: {_NOUN})?"
    rf"|what kind of {_NOUN}|(?:what|which) {_NOUN}"
    r"|who|whom|whose|what|which|when|where|why|how)"
)
_STARTS_WITH_WH = regex.compile(
    rf"^\W*(?:(?:since|until|till|by|from|to|for|with|at|in|on|of)\s+)?{_WH}\b", regex.IGNORECASE
)
_BARE_WH = regex.compile(
    rf"^\W*(?P<wh>(?:since |until |till |by |from )?{_WH}|how come|why not)"
    r"(?:\s+(?:so|then|that|else|\p{Ll}+ly))?\W*$",
    regex.IGNORECASE,
)
_FULL_QUESTION = regex.compile(rf"^\W*{_WH}\s+(?P<rest>{_AUXILIARY}\b.*)$", regex.IGNORECASE)
_WHO_DOES = r"who\s+(?!(?:in|on|at|for|from|to|with|by|of|else|first|then|now|\p{L}+ly)\b)\p{Ll}"
_WH_FRAGMENT = regex.compile(
    rf"^\W*(?!{_WHO_DOES})(?P<wh>{_WH})\s+(?P<rest>(?:(?!{_AUXILIARY}\b)[^\s?]+\s*){{1,3}})\W*$",
    regex.IGNORECASE,
)
"""A question word with an adverb or an object and no known verb: "how much initially"."""
_YES_NO = regex.compile(rf"^\W*{_AUXILIARY}\b", regex.IGNORECASE)
_IMPERATIVE = regex.compile(
    r"^\W*(?:list|name|show|tell|give|explain|describe|summari[sz]e|compare|find|search|help)\b",
    regex.IGNORECASE,
)
_TOPIC_FIRST = regex.compile(
    rf"^\W*(?:for |with |in )?(?P<topic>[^,?]{{2,60}}),\s+(?P<rest>(?:{_WH}|{_AUXILIARY})\b.+)$",
    regex.IGNORECASE,
)
"""A topic before the question about it: "the one in March, how long was that?"."""
_ONE = regex.compile(r"^(?:the|that) one\b\s*(?P<rest>.*)$", regex.IGNORECASE)
_PLURAL = regex.compile(r"\b(?:those|these|they|them)\b", regex.IGNORECASE)
_THERE = regex.compile(r"\s+there(?=\W*$)", regex.IGNORECASE)
_SAME_OF = regex.compile(
    rf"^\W*(?:what|how (?:much|many|long|often|high|big)|who|when|where)\s+{_AUXILIARY}\s+"
    r"(?:it|that|this|they|those|these)\s+"
    r"(?P<part>(?:in|for|at|under|with|on|of|during|by|before|after)\s+[\p{L}\p{N}].*)$",
    regex.IGNORECASE,
)
_ELIDED_NOUN = regex.compile(
    rf"^\W*(?P<wh>how (?:many|much)|which|whose) (?P<rest>{_AUXILIARY}\b.+)$", regex.IGNORECASE
)
_COUNTED_NOUN = regex.compile(
    rf"^\W*(?:how (?:many|much)|which|whose) "
    rf"(?P<noun>(?!{_AUXILIARY}\b)\p{{Ll}}+(?: (?!{_AUXILIARY}\b)\p{{Ll}}+s)?)\b",
    regex.IGNORECASE,
)
_SHORT_IS = regex.compile(r"^(?P<wh>what|who|when|where|how|why)['’]s\b", regex.IGNORECASE)
_WHO_IS = regex.compile(r"^\W*who\s+(?P<aux>is|are|was|were)\s+(?P<rest>.+)$", regex.IGNORECASE)
_FRAGMENT_WORDS, _SHORT_ANSWER, _FEW_WORDS = 5, 5, 2
"""Most words of a fragment, of an answer that is named in the next question, and of what is not
asked alone."""
_POSSESSIVE = regex.compile(r"\b(?:his|its|their|theirs|hers|her(?=\s+\p{L}))\b", regex.IGNORECASE)
_OWNER = regex.compile(r"\b(?:\p{Lu}[\p{L}.-]*\s+){0,3}\p{L}[\p{L}\p{N}-]*(?:['’]s|s['’])(?=\s)")
"""Whose thing a question asks for: "what is Ada Berg's phone number"."""
_OTHER_OWNER = regex.compile(r"^(?P<name>\p{L}[\p{L}\p{N} .-]{0,40}?)['’]s\W*$")
_OF_OWNER = regex.compile(
    r"^(?:his|her|its|their)\s+(?P<thing>\p{L}+(?: \p{L}+){0,2})\W*$", regex.IGNORECASE
)
_ACTION = regex.compile(
    rf"^\W*(?:how|why|when|where) (?:to|{_AUXILIARY} (?:i|we|you|one)(?: (?:have|need) to)?) "
    r"(?P<action>.+)$",
    regex.IGNORECASE,
)
"""A question about something that is done: "how do I change the burrs"."""
_DO_THIS = regex.compile(r"\bdo (?:this|that|it|so)\b", regex.IGNORECASE)
_THAT = r"that(?!\s+(?:I|we|you|they|he|she|it)\b)"
"""The pronoun, not the word that opens a clause: "the scanner that they decided on"."""
_DEMONSTRATIVE = regex.compile(
    rf"\b(?:this|{_THAT}|these|those)\b(?:\s+ones?\b|(?!\s+\p{{L}}+(?:s|ion|ment)\b))",
    regex.IGNORECASE,
)
_ANY_PRONOUN = regex.compile(
    rf"\b(?:he|him|she|her|it|they|them|this one|that one|this|{_THAT}|these|those)\b",
    regex.IGNORECASE,
)

_ASKS_OF_IT = regex.compile(
    rf"^\W*(?:{_WH}\s+)?{_AUXILIARY}\s+(?P<pronoun>it|they)\b", regex.IGNORECASE
)
_WHEN_IS = regex.compile(
    r"^\W*(?:when|where) (?:is|are|was|were|will be) (?P<subject>(?:the|our|my|this|that) .+)$",
    regex.IGNORECASE,
)
_IT = regex.compile(r"\bit\b", regex.IGNORECASE)
_POINTS_BACK = regex.compile(
    r"\b(?:about|at|by|for|from|in|of|on|to|under|with) (?:it|them|this|that|those|these)\W*$",
    regex.IGNORECASE,
)
"""A question that ends in something named before: "what is excluded from it?"."""


def rewrites(
    question: str, turns: Sequence[tuple[str, str]], items: Sequence[str] = ()
) -> list[str]:
    """Return the ways to read a question, likeliest first, at most `MAX_REWRITES`.

    The question as it stands is among them, unless it says nothing alone. `turns` are (question as
    it was understood, answer or ""), oldest first, and `items` what the last answer lists.
    """
    opening = opened(question)
    if opening.is_new_topic:
        return [opening.question]
    if not turns:
        return [question.strip()]
    alone = _without_opening(opening.question)
    pointed = with_item(alone, items)
    if pointed != alone:
        return [pointed]
    if opening.is_correction and not _is_full(alone):
        return _few([*_corrected(alone, opening.wrong, turns[-1][0]), alone])
    return _in_context(opening.question, alone, turns)


def _in_context(question: str, alone: str, turns: Sequence[tuple[str, str]]) -> list[str]:
    """Return the readings of a follow-up without small talk; `alone` lacks "and" as well."""
    is_fragment = _is_fragment(alone) or (alone != question and not _is_full(alone))
    if not is_fragment and is_self_contained(question):
        return [question]
    elided = [
        *_with_owner(alone, turns[-1][0]),
        *_with_elided_noun(alone, turns[-1][0]),
    ]
    asked_again = [
        *elided,
        *_from_last_questions(question, turns, is_fragment=is_fragment),
        *_of_named_topic(alone, turns),
    ]
    if is_fragment and asked_again:
        return _few([*asked_again, *([alone] if _says_something(alone) else [])])
    if asked_again and _SAME_OF.match(alone):
        # "What was it in 2025?" asks for the same value: "it" is nothing else.
        return _few(asked_again)
    others = [*asked_again, *_completions(question, alone, turns)]
    distinct = _few(each for each in others if each != alone)[: MAX_REWRITES - 1]
    if not is_fragment and not elided and _stands_alone(alone):
        return [alone, *distinct]
    may_stand_alone = bool(phrases(alone)) and not _POINTS_BACK.search(alone)
    return [*distinct, alone] if may_stand_alone or not distinct else distinct


def _with_owner(fragment: str, asked: str) -> Iterator[str]:
    """Yield the last question, asked of a fragment that is an owner, or that an owner has.

    "And Ada's?" asks for the same thing of somebody else, "and her room?" for another thing.
    """
    owned = _OWNER.search(asked)
    owner = _OTHER_OWNER.match(fragment)
    has = _OF_OWNER.match(fragment)
    if owned and owner:
        yield f"{asked[: owned.start()]}{owner['name']}'s{asked[owned.end() :]}"
    elif owned and has:
        yield f"{asked[: owned.start()]}{owned.group()} {has['thing']}?"
    elif has:
        # "What is the weight of the G3?" names the owner behind.
        yield from with_part_replaced(has["thing"], asked)


def _with_last_action(question: str, asked: str) -> Iterator[str]:
    """Yield a question with what one was to do in the place of "do this"."""
    action = _ACTION.match(asked)
    if action:
        replaced = _with_first_replaced(_DO_THIS, _unpunctuated(action["action"]), question)
        yield from [replaced] * (replaced != question)


def _completions(question: str, alone: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a question with what earlier turns spoke of in its pronouns' place, or at its end."""
    yield from _with_last_action(alone, turns[-1][0])
    yield from _with_last_subject(alone, turns[-1][0])
    yield from _with_last_object(alone, turns[-1])
    yield from _completed(alone, missing_phrases(question, _alive(turns))[:MOST_ADDED])


def _stands_alone(question: str) -> bool:
    """Return True if a question can be meant as it stands, whatever was asked before it."""
    return not is_elliptic(question) and not _WH_FRAGMENT.match(question)


def _says_something(fragment: str) -> bool:
    """Return True unless a fragment is a few words ("M20") or a place or time ("in Oslo?")."""
    is_long = len(fragment.split()) > _FEW_WORDS
    return is_long and not starts_with_preposition(fragment) and bool(phrases(fragment))


def _alive(turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the turns that a follow-up may go on from, oldest first.

    They go back to the last question that says what it is about. A question that the next one has
    asked anew, of something else, is over.
    """
    alive: list[tuple[str, str]] = []
    for turn in reversed(turns):
        if alive and _differs_by_a_part(turn[0], alive[0][0]):
            continue
        alive.insert(0, turn)
        if len({stem for phrase in phrases(turn[0]) for stem in phrase.stems}) >= ENOUGH_STEMS:
            break
    return alive


def _differs_by_a_part(one: str, other: str) -> bool:
    """Return True if two questions are the same but for one part of less than half their words."""
    a, b = (_unpunctuated(text).lower().split() for text in (one, other))
    shortest = min(len(a), len(b))
    before = next((at for at in range(shortest) if a[at] != b[at]), shortest)
    rest = shortest - before
    after = next((at for at in range(rest) if a[-1 - at] != b[-1 - at]), rest)
    return 2 * (before + after) >= max(len(a), len(b))


def _few(readings: Iterable[str]) -> list[str]:
    """Return the first different readings."""
    return list(dict.fromkeys(readings))[:MAX_REWRITES]


def _is_full(question: str) -> bool:
    """Return True if a text is a question of its own: it opens like one, or holds one."""
    return bool(
        _STARTS_WITH_WH.match(question)
        or _YES_NO.match(question)
        or _IMPERATIVE.match(question)
        or _TOPIC_FIRST.match(question)
    )


def _is_fragment(question: str) -> bool:
    """Return True for a few words that are no question: "rota plans?", "M20"."""
    return not _is_full(question) and len(question.split()) <= _FRAGMENT_WORDS


def _corrected(part: str, wrong: str, asked: str) -> Iterator[str]:
    """Yield the last question with what was meant in the place of what was understood."""
    if wrong:
        at = asked.lower().find(wrong.lower())
        if at >= 0:
            yield f"{asked[:at]}{part}{asked[at + len(wrong) :]}"
    yield from with_part_replaced(part, asked)


def _of_named_topic(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a question about what stands before its comma: "the March one, how long was that?"."""
    match = _TOPIC_FIRST.match(question)
    if match is None:
        return
    topic, rest = match["topic"].strip(), match["rest"]
    noun = _ONE.match(topic)
    things = [phrase for phrase in phrases(turns[-1][0]) if not phrase.is_name]
    if noun and things:
        topic = f"the {things[0].text} {noun['rest']}".strip()
    if _THERE.search(rest):
        yield _with_first_replaced(_THERE, f" in {topic}", rest)
    elif things and _PLURAL.search(rest) and not topic.endswith("s"):
        # "What about the quota, do those count?" speaks of something else than the quota.
        others = _with_first_replaced(_PLURAL, things[0].with_article, rest)
        yield f"{_unpunctuated(others)} for {topic}?"
    else:
        replaced = _with_first_replaced(_ANY_PRONOUN, topic, rest)
        yield replaced if replaced != rest else f"{_unpunctuated(rest)} for {topic}?"


def _from_last_questions(
    question: str, turns: Sequence[tuple[str, str]], *, is_fragment: bool
) -> Iterator[str]:
    """Yield the last questions, asked of something else or in another way.

    "And in OpenAI?" asks the same of something else, "Why?" in another way.
    """
    rest = _without_opening(question)
    bare = _BARE_WH.match(question)
    fragment = None if bare else _WH_FRAGMENT.match(rest)
    wh = bare or fragment or _BARE_WH.match(rest)
    same = _SAME_OF.match(rest)
    if wh:
        more = fragment["rest"] if fragment else ""
        for asked, answer in reversed(turns[-2:]):
            yield from _with_question_word(wh["wh"], _full_form(asked), answer, more)
    elif same:
        # "What was it in 2025?" asks for the same as the question before.
        yield from with_part_replaced(same["part"], turns[-1][0])
    elif is_fragment:
        yield from with_part_replaced(rest, turns[-1][0])


def _with_elided_noun(question: str, asked: str) -> Iterator[str]:
    """Yield a question with the noun of the one before: "how many did we accept?"."""
    elided, full = _ELIDED_NOUN.match(question), _COUNTED_NOUN.match(asked)
    if elided and full and full["noun"]:
        yield f"{elided['wh']} {full['noun']} {elided['rest']}"


def _full_form(question: str) -> str:
    """Return a question with "is" for the short form behind its question word."""
    return _SHORT_IS.sub(r"\g<wh> is", _without_opening(question))


def _with_question_word(wh: str, asked: str, answer: str, more: str = "") -> Iterator[str]:
    """Yield an earlier question with another question word.

    "Why?" after "How much will Amazon invest?" is "Why will Amazon invest?"; `more` are the further
    words of the follow-up. Who was asked for is named: "Since when?" asks of the answer.
    """
    full = _FULL_QUESTION.match(asked)
    who = _WHO_IS.match(asked)
    if who and answer and len(answer.split()) <= _SHORT_ANSWER:
        yield _with_end(f"{wh.capitalize()} {who['aux']} {answer} {who['rest']}", more)
    elif full:
        yield _with_end(f"{wh.capitalize()} {full['rest']}", more)
    elif _YES_NO.match(asked):
        yield _with_end(f"{wh.capitalize()} {asked[0].lower()}{asked[1:]}", more)


def _with_end(question: str, more: str) -> str:
    return f"{_unpunctuated(question)} {_unpunctuated(more)}?" if more else question


def _with_last_subject(question: str, asked: str) -> Iterator[str]:
    """Yield a question about "it" with the subject of the question for yes or no before it.

    Subjects follow subjects (parallelism: Kameyama 1986, "A property-sharing constraint in
    centering"). Of "when is the training for Quill?" all behind the verb is one.
    """
    event = _WHEN_IS.match(_full_form(asked))
    if event:
        replaced = _with_first_replaced(_IT, _unpunctuated(event["subject"]), question)
        yield from [replaced] * (replaced != question)
    match, before = _ASKS_OF_IT.match(question), phrases(asked)
    if match and before and _YES_NO.match(asked):
        start, end = match.span("pronoun")
        yield f"{question[:start]}{before[0].with_article}{question[end:]}"


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
    there = _THERE.search(question)
    if there:
        yield _with_first_replaced(_THERE, f" for {missing[0].with_article}", question)
    yield f"{_unpunctuated(question)} for {_listed([each.with_article for each in missing])}?"


def _listed(names: Sequence[str]) -> str:
    """Return names as a phrase: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
