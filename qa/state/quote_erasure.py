"""Which documents the JSON of an answer quotes, and the same without some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

ERASED = "A document that was quoted here has been deleted, and its quotes with it."
"""The note that stands in their place."""


def quoted_document_ids(answer: Mapping[str, Any]) -> list[str]:
    """The ids of all documents of which an answer's JSON holds text, each once."""
    places = [
        *_nearest(answer),
        *(citation for span in _spans(answer) for citation in _citations(span)),
    ]
    return list(dict.fromkeys(place["document_id"] for place in places))


def redact_documents(answer: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """An answer's JSON without any text of some documents, and with a note if there was any."""
    kept = {
        name: [span for span in (_without(each, gone) for each in answer[name]) if span]
        for name in _LISTS
    }
    citations = [citation for span in kept["answers"] for citation in _citations(span)]
    changed = (
        dict(answer)
        | kept
        | {
            "citations": citations,
            "answer": kept["answers"][0]["text"] if kept["answers"] else None,
        }
    )
    if changed["refusal"]:
        nearest = [each for each in _nearest(answer) if each["document_id"] not in gone]
        changed["refusal"] = changed["refusal"] | {"nearest": nearest}
    if changed != dict(answer):
        changed["notes"] = list(dict.fromkeys([*answer["notes"], ERASED]))
    return changed


_LISTS = ("answers", "alternatives", "conflicts")


def _spans(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _LISTS:
        yield from answer[name]


def _citations(span: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [span["citation"], *span["further"]]


def _nearest(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return answer["refusal"]["nearest"] if answer["refusal"] else []


def _without(span: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any] | None:
    """A span with the places that are left; its text is the quote of the first of them."""
    left = [citation for citation in _citations(span) if citation["document_id"] not in gone]
    if not left:
        return None
    return dict(span) | {"text": left[0]["quote"], "citation": left[0], "further": left[1:]}
