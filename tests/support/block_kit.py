"""Check of blocks against Block Kit's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block

MAX_TEXTS = 13_000
"""UTF-16 units of all texts of a message: about as many as Slack accepts."""


def faults(blocks: Sequence[Mapping[str, Any]], *, most: int = 50) -> list[str]:
    """Return the faults that Slack would find with blocks.

    They are checked by slack_sdk's models and against the limits that Block Kit documents.
    """
    found = [fault for block in blocks for fault in _model_faults(block)]
    if len(blocks) > most:
        found.append(f"{len(blocks)} blocks")
    found += _id_faults(blocks)
    found += _text_faults(texts(blocks))
    return found + [fault for block in blocks for fault in _button_faults(block)]


def _model_faults(block: Mapping[str, Any]) -> Iterator[str]:
    parsed = Block.parse(dict(block))
    if parsed is None or type(parsed) is Block:
        yield f"unknown block {block.get('type')}"
        return
    try:
        parsed.validate_json()
    except Exception as error:  # noqa: BLE001 - any error is a fault
        yield f"{block['type']}: {error}"


def _id_faults(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(each) > 255 for each in ids):
        yield "block ids"


def _text_faults(shown: Sequence[str]) -> Iterator[str]:
    if sum(map(units, shown)) > MAX_TEXTS:
        yield "msg_blocks_too_long"
    for text in shown:
        if not 0 < units(text) <= 3000:
            yield f"text of {units(text)}"


def _button_faults(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", []) if block.get("type") == "actions" else []
    if len(elements) > 25:
        yield "actions"
    for element in elements:
        label, value, action = element["text"]["text"], element["value"], element["action_id"]
        if len(label) > 75 or len(value) > 2000 or len(action) > 255:
            yield "button"


def units(text: str) -> int:
    """Return the UTF-16 units of a text, as JavaScript counts; fail for a lone surrogate."""
    return len(text.encode("utf-16-le")) // 2


def texts(value: Any) -> list[str]:
    """Return all texts within blocks."""
    if isinstance(value, Mapping):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return []
