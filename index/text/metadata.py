"""The YAML before a Markdown text: its title, day and tags."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import regex
import yaml

from index.tags import valid_tags

_UNSTORABLE = regex.compile(r"[\p{Cs}\p{Cc}]")
"""Characters that YAML escapes can make and no text has: lone surrogates and controls."""
MAX_FRONT_MATTER = 20_000
"""Characters of front matter in which a title is looked for; PyYAML reads some 300,000 a second."""
_DATES = ("updated", "lastmod", "modified", "date")
"""Front matter fields that date a document, the latest kind first."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What an author gave a text: a title, a day (YYYY-MM-DD), tags."""

    title: str | None
    date: str | None
    tags: tuple[str, ...]


def front_matter(content: str) -> FrontMatter:
    """Of the text between the marks; what cannot be read is left out."""
    nodes = _nodes(content)
    fields = _words(nodes)
    days = (day_in(fields.get(name, "")) for name in _DATES)
    return FrontMatter(fields.get("title"), next(filter(None, days), None), _tags(nodes))


def _nodes(content: str) -> list[tuple[str, yaml.Node]]:
    """The fields of the front matter; only composed, not constructed, so that no alias or merge key
    of it is ever expanded.
    """
    try:
        root = yaml.compose(content[:MAX_FRONT_MATTER], Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return [(key.value, value) for key, value in pairs if isinstance(key, yaml.ScalarNode)]


def _words(fields: list[tuple[str, yaml.Node]]) -> dict[str, str]:
    """The one-line fields, of a title only text."""
    scalars = [(name, value) for name, value in fields if isinstance(value, yaml.ScalarNode)]
    words = {
        name: " ".join(value.value.split())
        for name, value in reversed(scalars)
        if (name == "title") <= value.tag.endswith(":str")
    }
    return {name: text for name, text in words.items() if text and not _UNSTORABLE.search(text)}


def _tags(fields: list[tuple[str, yaml.Node]]) -> tuple[str, ...]:
    """The list of `tags`, or those of one line with commas between them; what can be no tag is left
    out.
    """
    value = next((value for name, value in fields if name == "tags"), None)
    nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
    names = [
        node.value
        for node in nodes
        if isinstance(node, yaml.ScalarNode) and not node.tag.endswith(":null")
    ]
    return valid_tags(part for name in names for part in name.split(","))


_DAY = regex.compile(r"(?<!\d)(\d{4})-?([01]\d)-?([0-3]\d)(?!\d)")


def day_in(text: str) -> str | None:
    """The first day in a text that is written as in ISO 8601, as YYYY-MM-DD; None without one."""
    for match in _DAY.finditer(text):
        with suppress(ValueError):
            return date(*map(int, match.groups())).isoformat()
    return None
