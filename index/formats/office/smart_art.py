"""Texts of SmartArt, whose points are in a part of their own (ECMA-376, 21.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from index.formats.markup import Element, inner_text
from index.formats.zip_container import parse_xml

_RELATIONS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_IS_PARENT = {None, "parOf"}
"""Kinds of connections that order the points; others say how they are drawn."""


def diagram_texts(element: Element, part: Any, kind: str) -> Iterator[str]:  # noqa: ANN401
    """Yield the points of the SmartArt that is drawn inside an element of an Office part.

    `kind` names the file in errors. Raises DamagedFile.
    """
    for reference in element.iter("{*}relIds"):
        relation = part.rels.get(reference.get(f"{_RELATIONS}dm"))
        if relation is not None and not relation.is_external:
            yield from point_texts(parse_xml(relation.target_part.blob, kind))


def point_texts(data: Element) -> Iterator[str]:
    """Yield the texts of a diagram's points, each followed by those below it."""
    texts = {
        point.get("modelId", ""): " ".join(map(inner_text, point.iterchildren("{*}t")))
        for point in data.iter("{*}pt")
    }
    below = _points_below(data)
    children = {target for points in below.values() for _, target in points}
    roots = [name for name in texts if name not in children]
    return (texts[name] for name in _in_order(roots, below) if texts.get(name, "").strip())


def _points_below(data: Element) -> Mapping[str, list[tuple[int, str]]]:
    """Return (place, name) of the points below each point."""
    below: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for connection in data.iter("{*}cxn"):
        if connection.get("type") in _IS_PARENT:
            order = connection.get("srcOrd", "0")
            place = int(order) if order.isdecimal() else 0
            below[connection.get("srcId", "")].append((place, connection.get("destId", "")))
    return below


def _in_order(roots: list[str], below: Mapping[str, list[tuple[int, str]]]) -> Iterator[str]:
    """Yield the names of points depth first, each once: a damaged file may have circles."""
    seen: set[str] = set()
    waiting = roots[::-1]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        waiting += [target for _, target in sorted(below.get(name, []), reverse=True)]
