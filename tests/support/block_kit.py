"""What Slack would find wrong with blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block


def faults(blocks: Sequence[Mapping[str, Any]], *, most: int = 50) -> list[str]:
    """What Slack would find wrong with blocks: by slack_sdk's models, and by the limits that Block
    Kit documents.
    """
    found = []
    for block in blocks:
        parsed = Block.parse(dict(block))
        if parsed is None or type(parsed) is Block:
            found.append(f"unknown block {block.get('type')}")
            continue
        try:
            parsed.validate_json()
        except Exception as error:  # noqa: BLE001 - whatever it says is the fault
            found.append(f"{block['type']}: {error}")
    if len(blocks) > most:
        found.append(f"{len(blocks)} blocks")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)) or any(len(each) > 255 for each in ids):
        found.append("block ids")
    if sum(map(units, texts(blocks))) > 13_000:
        found.append("msg_blocks_too_long")
    found += [f"text of {units(text)}" for text in texts(blocks) if not 0 < units(text) <= 3000]
    return found + [fault for block in blocks for fault in _of_buttons(block)]


def _of_buttons(block: Mapping[str, Any]) -> Iterator[str]:
    elements = block.get("elements", []) if block.get("type") == "actions" else []
    if len(elements) > 25:
        yield "actions"
    for each in elements:
        if (
            len(each["text"]["text"]) > 75
            or len(each["value"]) > 2000
            or len(each["action_id"]) > 255
        ):
            yield "button"


def units(text: str) -> int:
    """UTF-16 units, as JavaScript counts; fails for a lone surrogate."""
    return len(text.encode("utf-16-le")) // 2


def texts(value: Any) -> list[str]:
    """All texts within blocks."""
    if isinstance(value, Mapping):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in texts(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return []
