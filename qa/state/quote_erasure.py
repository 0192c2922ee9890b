"""Documents quoted in the JSON of an answer, and the erasure of their quotes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

ERASED = "A document that was quoted here has been deleted, and its quotes with it."
"""Note on an answer from which quotes were erased."""
NOT_READABLE = "A document that was quoted here is no longer open to you."
"""Note on an answer whose asker may no longer read all that it quotes."""


def quoted_document_ids(answer: Mapping[str, Any]) -> list[str]:
    """Return the ids of all documents whose text an answer's JSON holds, each once."""
    passages = list(_nearest(answer))
    for span in _spans(answer):
        passages.extend(_citations(span))
    return list(dict.fromkeys(passage["document_id"] for passage in passages))


def redact_documents(
    answer: Mapping[str, Any], gone: Collection[str], note: str = ERASED
) -> dict[str, Any]:
    """Return an answer's JSON without the text of some documents, and a note if it had any."""
    redacted = dict(answer)
    for name in _SPAN_LISTS:
        if name not in answer:  # stored before answers had this list
            continue
        redacted[name] = _redact_spans(answer[name], gone)
    answers = redacted["answers"]
    redacted["citations"] = [citation for span in answers for citation in _citations(span)]
    redacted["answer"] = answers[0]["text"] if answers else None
    if redacted["refusal"]:
        redacted["refusal"] = redacted["refusal"] | {"nearest": _remaining(_nearest(answer), gone)}
    if redacted != dict(answer):
        redacted["notes"] = list(dict.fromkeys([*answer["notes"], note]))
        # Doubts may quote the document, too.
        redacted["doubts"] = []
        redacted["certainty"] = answers[0].get("certainty", "sure") if answers else "none"
    return redacted


_SPAN_LISTS = ("answers", "alternatives", "conflicts", "earlier")
"""Keys of an answer's JSON that hold lists of answer spans."""


def _spans(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _SPAN_LISTS:
        yield from answer.get(name, ())


def _citations(span: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [span["citation"], *span["further"]]


def _nearest(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return answer["refusal"]["nearest"] if answer["refusal"] else []


def _redact_spans(
    spans: Sequence[Mapping[str, Any]], gone: Collection[str]
) -> list[dict[str, Any]]:
    """Return the spans that have citations left; their text is the quote of the first one."""
    redacted = []
    for span in spans:
        left = _remaining(_citations(span), gone)
        if left:
            first = {"text": left[0]["quote"], "citation": left[0], "further": left[1:]}
            redacted.append(dict(span) | first)
    return redacted


def _remaining(passages: Sequence[dict[str, Any]], gone: Collection[str]) -> list[dict[str, Any]]:
    return [passage for passage in passages if passage["document_id"] not in gone]
