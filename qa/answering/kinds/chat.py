"""Small talk: greetings, thanks and requests for help, which get a friendly line and no search."""

from __future__ import annotations

import regex

from index.wording import counted
from qa.answering.kinds.context import KindAnswer, QuestionContext

_NAME = r"(?:,? (?:there|all|everyone|everybody|bot|quoted|again|so much|very much|a lot))?"
_EXAMPLE = 'For example: "When does the warranty end?" or "Which documents mention parking?"'


def _whole(pattern: str) -> regex.Pattern[str]:
    """Return a pattern of a whole message, with or without punctuation at its end."""
    return regex.compile(rf"(?:{pattern})[\s!.?,:;)(\p{{So}}]*", regex.IGNORECASE)


_GREETING = _whole(
    rf"(?:hi|hello|hey|howdy|hiya|greetings|good (?:morning|afternoon|evening|day)){_NAME}"
    r"(?:[,!.]? how are you(?: doing)?(?: today)?)?|how are you(?: doing)?(?: today)?|what'?s up"
)
_THANKS = _whole(
    r"(?:ok(?:ay)?,? |great,? |perfect,? |cool,? |no,? )?"
    rf"(?:many )?(?:thanks|thank you|thx|ty|cheers){_NAME}"
    r"(?:[,!.]? (?:that|this|it)(?:'s| was| is)? ?(?:really |very |all )?"
    r"(?:helped|helps|helpful|great|perfect|good|what i needed|all)(?: a lot)?)?"
    r"(?:,? (?:for (?:your|the) (?:help|answers?)|that(?:'s| is) all))?"
)
_PRAISE = _whole(
    r"(?:you(?:'re| are)|that(?:'s| is| was)|this is)(?: a)?(?: (?:so|very|really|pretty|quite))?"
    r" (?:good|great|helpful|awesome|amazing|nice|smart|clever|useful|cool|brilliant|fast)"
    r"(?: (?:bot|tool|at (?:this|that|it|your job)|answer|job))?"
    r"|(?:well done|good (?:bot|job|work|answer)|nice(?: one)?|great|awesome|perfect|cool|wow"
    r"|i (?:like|love) (?:it|this|you|that))"
)
_FAREWELL = _whole(
    rf"(?:bye|goodbye|bye bye|see you(?: later| soon)?|good night|have a (?:nice|good) "
    rf"(?:day|evening|weekend)){_NAME}"
)
_ASSENT = _whole(r"ok(?:ay)?|alright|all right|got it|i see|understood|fine|sure|yes|no|nope|yep")
_HELP = _whole(
    r"(?:please )?help(?: me)?(?: please)?|\?+"
    r"|what can (?:you|i) (?:do|ask)(?: (?:you|here|for me))?|who are you|what are you"
    r"|what is this|how do(?:es)? (?:you|this|it) work"
    r"|how do i use (?:you|this|it)|what(?:'s| is) (?:your name|quoted)"
)


def answer(context: QuestionContext) -> KindAnswer | None:
    """Return a friendly line for small talk, None for a question."""
    reply = chat_reply(context.question, context.document_count)
    return KindAnswer("chat", reply=reply) if reply else None


def is_chat(message: str) -> bool:
    """Return True if a message is small talk and no question."""
    return chat_reply(message, 0) is not None


def chat_reply(message: str, documents: int) -> str | None:
    """Return the reply to small talk, None for anything else.

    `documents` is the number of documents that can be asked.
    """
    text = message.strip()
    own = counted(documents, "document")
    asked = f"Ask me something about your {own}." if documents else _EMPTY
    if _HELP.fullmatch(text):
        return (
            "I answer questions with quotes from your documents, and say so if they hold no "
            f"answer. {asked} {_EXAMPLE}"
        )
    if _GREETING.fullmatch(text):
        return f"Hello. {asked} {_EXAMPLE}"
    if _THANKS.fullmatch(text):
        return "You are welcome."
    if _FAREWELL.fullmatch(text):
        return "Goodbye."
    if _PRAISE.fullmatch(text):
        return "Thank you. The words are your documents' own."
    return f"All right. {asked}" if _ASSENT.fullmatch(text) else None


_EMPTY = "There are no documents yet: add some, then ask."
