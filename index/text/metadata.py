"""Front matter of a Markdown text, in YAML or TOML: its title, date and tags."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import regex
import yaml

from index.tags import valid_tags

_UNSTORABLE = regex.compile(r"[\p{Cs}\p{Cc}]")
"""Characters that YAML escapes can produce and no text has: lone surrogates and controls."""
MAX_FRONT_MATTER = 20_000
"""Characters of front matter that are parsed; PyYAML reads some 300,000 a second."""
_DATE_FIELDS = ("updated", "lastmod", "modified", "date")
"""Front matter fields that date a document, in order of preference."""
_DAY = regex.compile(r"(?<!\d)(\d{4})-?([01]\d)-?([0-3]\d)(?!\d)")

_TOML = regex.compile(r"\+\+\+[ \t]*\n(?P<content>.*?\n)?\+\+\+[ \t]*(?:\n|\Z)", regex.DOTALL)
"""Front matter of Hugo and Zola."""
_Field = tuple[str, yaml.Node]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Title, day (YYYY-MM-DD) and tags that an author gave a text."""

    title: str | None
    date: str | None
    tags: tuple[str, ...]


def front_matter(content: str) -> FrontMatter:
    """Parse the content of a front matter; unreadable fields are ignored."""
    fields = _fields(content)
    values = _one_line_values(fields)
    days = [day_in(values.get(name, "")) for name in _DATE_FIELDS]
    return FrontMatter(
        title=values.get("title"),
        date=next((day for day in days if day is not None), None),
        tags=_tags(fields),
    )


def toml_front_matter(text: str) -> tuple[FrontMatter, int] | None:
    """Return the front matter in TOML that a text begins with, and where it ends, or None."""
    toml = _TOML.match(text)
    if toml is None or toml.end("content") > MAX_FRONT_MATTER:
        return None
    try:
        fields = tomllib.loads(toml["content"] or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return _toml_front_matter(fields), toml.end()


def _toml_front_matter(fields: Mapping[str, Any]) -> FrontMatter:
    title = fields.get("title")
    is_title = isinstance(title, str) and not _UNSTORABLE.search(title)
    days = [day_in(str(fields.get(name, ""))) for name in _DATE_FIELDS]
    taxonomies = fields.get("taxonomies", {})
    tags = fields.get("tags", taxonomies.get("tags") if isinstance(taxonomies, dict) else None)
    return FrontMatter(
        title=" ".join(title.split()) or None if isinstance(title, str) and is_title else None,
        date=next((day for day in days if day is not None), None),
        tags=valid_tags(_tag_names(tags)),
    )


def _tag_names(tags: object) -> list[str]:
    if isinstance(tags, str):
        return tags.split(",")
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _fields(content: str) -> list[_Field]:
    """Return the top-level fields of the front matter as YAML nodes."""
    try:
        # Composed and not constructed: no alias or merge key is ever expanded, so that nested
        # aliases cannot fill the memory.
        root = yaml.compose(content[:MAX_FRONT_MATTER], Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    if not isinstance(root, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in root.value if isinstance(key, yaml.ScalarNode)]


def _one_line_values(fields: list[_Field]) -> dict[str, str]:
    """Return the scalar fields as text on one line.

    The first field of a name counts. A title must be a YAML string. Values that are empty or cannot
    be stored are left out.
    """
    values: dict[str, str] = {}
    for name, node in reversed(fields):  # the first of two fields of a name overwrites the second
        if not isinstance(node, yaml.ScalarNode):
            continue
        is_string = node.tag.endswith(":str")
        if name == "title" and not is_string:
            continue
        values[name] = " ".join(node.value.split())
    return {name: text for name, text in values.items() if text and not _UNSTORABLE.search(text)}


def _tags(fields: list[_Field]) -> tuple[str, ...]:
    """Return the valid tags of the field `tags`, a list or a comma-separated line."""
    value = next((node for name, node in fields if name == "tags"), None)
    nodes = value.value if isinstance(value, yaml.SequenceNode) else [value]
    names: list[str] = []
    for node in nodes:
        is_null = isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")
        if isinstance(node, yaml.ScalarNode) and not is_null:
            names.extend(node.value.split(","))
    return valid_tags(names)


def day_in(text: str) -> str | None:
    """Return the first ISO 8601 date in a text as YYYY-MM-DD, or None."""
    for match in _DAY.finditer(text):
        with suppress(ValueError):  # the pattern also matches days such as 2024-19-39
            return date(*map(int, match.groups())).isoformat()
    return None
