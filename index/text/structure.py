"""Structure of a document: its title, and its blocks with their headings, items and pairs.

Blocks are made where a text is parsed (`index.text.plain_text`, `index.text.markdown`,
`index.formats`), stored with the document (`Snapshot.blocks`), and cut into chunks
(`index.text.chunking`). This module finds the block, list or section that a quote stands in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import regex

from index.document import Block, Entry, TextRange
from index.rendering import ROWS_ALONE
from index.text.lines import Mark, mark_at
from index.text.sentences import sentence_spans

LONGEST_ITEM = 300
"""Characters of the longest paragraph that is an item of a list because it has a mark."""
LABEL_WORDS = 4
"""Most words of a label."""
WITHOUT_LEAD = frozenset({"heading", "paragraph"})
"""Kinds of blocks that no sentence leads in to."""
_BETWEEN = frozenset({"code", "paragraph"})
MOST_BETWEEN = 4
"""Blocks between two items of one list."""
_LABEL = regex.compile(r"\p{Lu}[^\d.,;!?|]{0,29}")


@dataclass(frozen=True, slots=True)
class Structure:
    """Blocks of a text in order, with its title, day (YYYY-MM-DD) and tags."""

    blocks: tuple[Block, ...]
    title: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


def content_blocks(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the blocks that passages are made of.

    A heading is one only if nothing stands under it. Each row of a table of at most ROWS_ALONE rows
    is a block of its own.
    """
    for block, following in zip(blocks, chain(blocks[1:], [None]), strict=False):
        if block.kind == "heading":
            if following is None or not is_under(following, block):
                # The heading is the text itself, so only those above it are its headings.
                yield replace(block, headings=block.headings[:-1])
        elif block.kind == "table" and 0 < len(block.entries) <= ROWS_ALONE:
            for entry in block.entries:
                start, end = entry.span
                row = replace(block, start=start, end=end, units=(entry.span,), entries=())
                yield replace(row, lead=None)
        else:
            yield block


def with_attached_headings(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return blocks, each heading of plain text as the first unit of the block right below it.

    The reader of a passage sees no headings, and a heading without a blank line below it is part of
    what is written there. Headings with markup, and those above a table, stay blocks.
    """
    joined: list[Block] = []
    for block in blocks:
        above = joined[-1] if joined else None
        if above is not None and _is_attached(text, above, block):
            units = ((above.start, above.end), *block.units)
            joined[-1] = replace(block, start=above.start, units=units)
        else:
            joined.append(block)
    return joined


def _is_attached(text: str, above: Block, block: Block) -> bool:
    if above.kind != "heading" or block.kind in {"heading", "table"}:
        return False
    # A heading may have no name.
    is_plain = above.headings[-1:] == (text[above.start : above.end],)
    between = text[above.end : block.start]
    return is_plain and not between.strip() and between.count("\n") == 1


def block_at(blocks: Sequence[Block], offset: int) -> Block | None:
    """Return the block that holds the character at an offset, None between blocks."""
    following = bisect_right(blocks, offset, key=lambda block: block.start)
    if not following or blocks[following - 1].end <= offset:
        return None
    return blocks[following - 1]


def blocks_between(blocks: Sequence[Block], start: int, end: int) -> Sequence[Block]:
    """Return the blocks that share a character with [start, end), in order."""
    first = bisect_right(blocks, start, key=lambda block: block.end)
    last = first
    while last < len(blocks) and blocks[last].start < end:
        last += 1
    return blocks[first:last] if start < end else []


def heading_above(blocks: Sequence[Block], block: Block) -> Block | None:
    """Return the heading that a block stands under directly, None without one."""
    at = bisect_right(blocks, block.start, key=lambda each: each.start) - 1
    headings = (each for each in reversed(blocks[: max(at, 0)]) if each.kind == "heading")
    nearest = next((each for each in headings if _is_outside(each, block)), None)
    return nearest if nearest is not None and is_under(block, nearest) else None


def section(blocks: Sequence[Block], heading: Block) -> Sequence[Block]:
    """Return the blocks under a heading, with those under its subheadings."""
    first = bisect_right(blocks, heading.start, key=lambda each: each.start)
    last = first
    while last < len(blocks) and is_under(blocks[last], heading):
        last += 1
    return blocks[first:last]


def _is_outside(heading: Block, block: Block) -> bool:
    """Return True unless a block is itself a heading of the same or an outer level."""
    return block.kind != "heading" or heading.level < block.level


def is_under(block: Block, heading: Block) -> bool:
    """Return True if a block that follows a heading stands under it."""
    is_inside = block.headings[: len(heading.headings)] == heading.headings
    return is_inside and _is_outside(heading, block)


def with_lead(block: Block) -> TextRange:
    """Return the range of a block with the sentence that leads in to it."""
    return (block.lead[0] if block.lead else block.start), block.end


def lead_of(text: str, before: Block | None, *, is_attached: bool = False) -> TextRange | None:
    """Return the last sentence of the block before another if it leads in to it, else None.

    It does if it ends with a colon, or if no blank line stands between (`is_attached`).
    """
    if before is None or before.kind != "paragraph" or not before.units:
        return None
    start, end = before.units[-1]
    if text[end - 1 : end] != ":" and not is_attached:
        return None
    sentences = sentence_spans(text[start:end])
    return (start + sentences[-1][0], end) if sentences else None


def with_leads(text: str, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return blocks, each with the sentence that leads in to it."""
    before: Block | None = None
    led = []
    for block in blocks:
        if block.kind not in WITHOUT_LEAD and block.lead is None:
            led.append(replace(block, lead=lead_of(text, before)))
        else:
            led.append(block)
        before = block
    return tuple(led)


def with_typed_lists(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return blocks, with paragraphs in a row that begin with list marks as lists.

    Formats without lists, such as PDF, have their items as paragraphs.
    """
    listed: list[Block] = []
    items: list[tuple[Block, Mark]] = []
    for block in blocks:
        mark = _typed_mark(text, block)
        if items and (mark is None or not _goes_on(*items[-1], block, mark)):
            listed.extend(_typed_list(items))
            items = []
        if mark is None:
            listed.append(block)
        else:
            items.append((block, mark))
    return [*listed, *_typed_list(items)]


def with_interrupted_lists(text: str, blocks: Sequence[Block]) -> list[Block]:
    """Return blocks, with numbered lists that go on behind code or a paragraph as one.

    A listing that is not indented ends a list of Markdown, and "2." begins another one below it.
    """
    joined: list[Block] = []
    for block in blocks:
        at = len(joined) - 1
        while at >= 0 and len(joined) - at <= MOST_BETWEEN and joined[at].kind in _BETWEEN:
            at -= 1
        if at >= 0 and _is_continued(text, joined[at], block):
            joined[at:] = [_joined(joined[at], joined[at + 1 :], block)]
        else:
            joined.append(block)
    return joined


def _is_continued(text: str, before: Block, block: Block) -> bool:
    """Return True if a numbered list begins with the number behind the last one of another."""
    if not (before.numbered and block.numbered and before.headings == block.headings):
        return False
    if not (before.entries and block.entries):
        return False
    last, first = (
        text[slice(*each.label)].strip(".) ") for each in (before.entries[-1], block.entries[0])
    )
    return last.isdecimal() and first.isdecimal() and int(first) == int(last) + 1


def _joined(before: Block, between: Sequence[Block], block: Block) -> Block:
    """Return two parts of a list as one; what stands between belongs to the item above it."""
    label, (start, end) = before.entries[-1]
    last = Entry(label, (start, between[-1].end if between else end))
    inside = [unit for each in between for unit in each.units]
    return replace(
        before,
        end=block.end,
        units=(*before.units, *inside, *block.units),
        entries=(*before.entries[:-1], last, *block.entries),
    )


def _typed_mark(text: str, block: Block) -> Mark | None:
    """Return the mark at the beginning of a paragraph that may be an item of a list."""
    is_short = block.kind == "paragraph" and block.end - block.start <= LONGEST_ITEM
    return mark_at(text, block.units[0]) if is_short and len(block.units) == 1 else None


def _goes_on(before: Block, mark: Mark, block: Block, following: Mark) -> bool:
    """Return True if the item of a mark follows the one before it in a list."""
    if before.headings != block.headings or bool(mark.number) != bool(following.number):
        return False
    if mark.number.isdecimal() and following.number.isdecimal():
        return int(following.number) == int(mark.number) + 1
    if mark.is_letter and following.is_letter:
        return ord(following.number) == ord(mark.number) + 1
    return not mark.number


def _typed_list(items: Sequence[tuple[Block, Mark]]) -> list[Block]:
    """Return items as one list; a single one stays a paragraph."""
    if len(items) < 2:
        return [block for block, _ in items]
    entries = tuple(Entry(mark.span, (mark.content, block.end)) for block, mark in items)
    first, last = items[0][0], items[-1][0]
    units = tuple(entry.content for entry in entries)
    return [
        replace(
            first,
            end=last.end,
            units=units,
            kind="list",
            numbered=bool(items[0][1].number),
            entries=entries,
        )
    ]


def are_pairs(cells: Sequence[str]) -> bool:
    """Return True if cells are labels and values in turn: "Claim # | SF-1008 | Make | Jeep"."""
    return bool(cells) and len(cells) % 2 == 0 and all(map(is_label, cells[::2]))


def is_label(text: str) -> bool:
    """Return True if a text may name a value: a few words that begin with a capital."""
    return len(text.split()) <= LABEL_WORDS and _LABEL.fullmatch(text.strip("*_ ")) is not None


def blocks_to_plain(blocks: Iterable[Block]) -> list[list[Any]]:
    """Return JSON types, which `blocks_from_plain` reads back."""
    return [
        [
            block.kind,
            block.start,
            block.end,
            block.units,
            block.headings,
            block.columns,
            block.level,
            block.lead,
            block.numbered,
            [(entry.label, entry.content) for entry in block.entries],
        ]
        for block in blocks
    ]


def blocks_from_plain(plain: Iterable[Sequence[Any]]) -> tuple[Block, ...]:
    """Return the blocks that `blocks_to_plain` turned into JSON types."""
    return tuple(_block(fields) for fields in plain)


def _block(fields: Sequence[Any]) -> Block:
    kind, start, end, units, headings, columns, level, lead, numbered, entries = fields
    return Block(
        start,
        end,
        tuple(map(_range, units)),
        tuple(headings),
        tuple(columns),
        kind,
        level=level,
        lead=None if lead is None else _range(lead),
        numbered=numbered,
        entries=tuple(Entry(_range(label), _range(content)) for label, content in entries),
    )


def _range(plain: Sequence[int]) -> TextRange:
    start, end = plain
    return start, end
