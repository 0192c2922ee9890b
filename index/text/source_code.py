"""Blocks of source code, configuration and logs.

Functions, classes and keys are headings: a passage says where in the file it stands. Nothing is
parsed by its own grammar: the lines on which definitions begin look alike in most languages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from index.document import Block, Entry, TextRange
from index.text.outline import code_blocks
from index.text.plain_text import plain_structure
from index.text.structure import Structure

LOG_LINES = 100
"""Lines of a log that are one block; a blank line ends one, too."""
LONGEST_DEFINITION = 300
"""Characters of a line that may begin a definition."""

_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override"
    r"|virtual|inline|extern|unsafe|pub(?:\([^)]*\))?|open|sealed|data|partial|const)[ \t]+)*"
)
_DEFINITION = regex.compile(
    rf"(?P<indent>[ \t]*){_MODIFIERS}"
    r"(?:(?P<hcl>[a-z_]+(?:[ \t]+\"[\w./-]+\"){1,2})[ \t]*\{[ \t]*$"
    r"|(?:def|class|function\*?|fn|func|fun|sub|interface|struct|enum|trait|impl|module|namespace"
    r"|object|protocol|extension|record|procedure|message|service|resource)[ \t]+"
    r"(?:\([^)]*\)[ \t]*)?[\"']?(?P<name>[\w$.:<>]+[\w$>])"
    r"|(?:const|let|var)[ \t]+(?P<arrow>[\w$]+)[ \t]*=[ \t]*(?:async[ \t]*)?\(?[^=()]*\)?[ \t]*=>"
    r"|(?P<shell>[\w-]+)[ \t]*\(\)[ \t]*\{"
    r"|CREATE[ \t]+(?:OR[ \t]+REPLACE[ \t]+)?(?:TABLE|VIEW|FUNCTION|PROCEDURE|INDEX)[ \t]+"
    r"(?:IF[ \t]+NOT[ \t]+EXISTS[ \t]+)?(?P<sql>[\w.\"`]+)"
    r"|(?:[\w<>\[\],.*&:]+[ \t]+)+[*&]?(?P<typed>[\w:~]+)[ \t]*\([^;{}=]*\)[^;{}]*\{)"
)
_STATEMENTS = {"if", "for", "while", "switch", "catch", "return", "else", "new", "throw", "with"}
_COMMENT_START = regex.compile(r"[ \t]*(?:#|//|/\*|\*|--|;|@|\"\"\"|''')")


def code_structure(text: str) -> Structure:
    """Return the definitions of a source text as blocks of code under their names."""
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    start = 0
    for at, indent, name in _definitions(text):
        # Comments and decorators right above a definition belong to it.
        begin = _start_with_comments(text, start, at)
        blocks += code_blocks(text, start, begin, _names(path))
        path = [(outer, above) for outer, above in path if outer < indent]
        path.append((indent, name))
        start = begin
    blocks += code_blocks(text, start, len(text), _names(path))
    return Structure(tuple(blocks))


_FILE_CHANGE = regex.compile(
    r"(?m)^(?:diff [^\n]*\n(?:[^-\n][^\n]*\n)*)?--- [^\n]*\n\+\+\+ (?:b/)?(?P<name>[^\t\n]+)"
)
"""Head of the changes of one file in a patch (unified format)."""


def diff_structure(text: str) -> Structure:
    """Return the message of a patch as plain text, and the changes of each file under its name."""
    heads = list(_FILE_CHANGE.finditer(text))
    first = heads[0].start() if heads else len(text)
    blocks = list(plain_structure(text[:first]).blocks)
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=False):
        blocks += code_blocks(text, head.start(), end, (head["name"].strip(),))
    return Structure(tuple(blocks))


def _definitions(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start of its line, indent, name) of each definition."""
    at = 0
    for line in text.split("\n"):
        match = _DEFINITION.match(line) if len(line) <= LONGEST_DEFINITION else None
        if match:
            groups = ("hcl", "name", "arrow", "shell", "sql", "typed")
            name = next(filter(None, (match[group] for group in groups)), "")
            first_word = line.split(None, 1)[0].rstrip("(")
            if name not in _STATEMENTS and first_word not in _STATEMENTS:
                yield at, len(match["indent"].expandtabs(4)), name
        at += len(line) + 1


def _start_with_comments(text: str, first: int, at: int) -> int:
    """Return where the comments right above the line at `at` begin."""
    while at > first:
        above = text.rfind("\n", first, at - 1) + 1
        above = max(above, first)
        if not _COMMENT_START.match(text, above, at):
            break
        at = above
    return at


def _names(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in path)


@dataclass
class _Keys:
    """Blocks of keys with their values, each under the keys around it."""

    blocks: list[Block] = field(default_factory=list)
    _path: tuple[str, ...] = ()
    _entries: list[Entry] = field(default_factory=list)

    def add(self, path: tuple[str, ...], label: TextRange, content: TextRange) -> None:
        """Add a value with its key; an empty label stands for a value or comment without one."""
        if path != self._path:
            self.flush()
            self._path = path
        self._entries.append(Entry(label, content))

    def extend(self, end: int) -> None:
        """Let the last value reach to `end`."""
        label, (start, _) = self._entries[-1]
        self._entries[-1] = Entry(label, (start, end))

    @property
    def is_open(self) -> bool:
        """True if a value may go on."""
        return bool(self._entries)

    def flush(self) -> None:
        """End the block of the keys with one path."""
        entries, self._entries = tuple(self._entries), []
        if not entries:
            return
        units = tuple(entry.span for entry in entries)
        self.blocks.append(
            Block(units[0][0], units[-1][1], units, self._path, kind="pairs", entries=entries)
        )


_YAML_KEY = regex.compile(
    r"(?P<indent>[ \t]*(?:-[ \t]+)*)(?P<key>[\"']?[\w./$@ -]+?[\"']?):"
    r"(?:[ \t]+(?P<value>\S.*))?[ \t]*"
)
_INI_SECTION = regex.compile(r"[ \t]*\[{1,2}(?P<name>[^\]\n]+)\]{1,2}[ \t]*(?:[#;].*)?")
_INI_KEY = regex.compile(
    r"[ \t]*(?P<key>[\w.\"'-][\w.\"' -]*?)[ \t]*[=:][ \t]*(?P<value>.*?)[ \t]*"
)


def yaml_structure(text: str) -> Structure:
    """Return the values of a YAML text with their keys, under the keys around them."""
    keys = _Keys()
    path: list[tuple[int, str]] = []
    at = 0
    for line in text.split("\n"):
        end = at + len(line.rstrip())
        match = _YAML_KEY.fullmatch(line)
        first = at + len(line) - len(line.lstrip())
        if match:
            indent = len(match["indent"].expandtabs(4))
            path = [(outer, name) for outer, name in path if outer < indent]
            key = match["key"].strip("\"'")
            if match["value"]:
                label = (at + match.start("key"), at + match.end("key"))
                keys.add(_names(path), label, (at + match.start("value"), end))
            path.append((indent, key))
        elif line.strip() and line.strip() not in {"---", "..."}:
            _add_loose_line(keys, path, line, first, end)
        at += len(line) + 1
    keys.flush()
    return Structure(tuple(keys.blocks))


def _add_loose_line(
    keys: _Keys, path: list[tuple[int, str]], line: str, first: int, end: int
) -> None:
    """Add a line without a key: a comment, an item, or a further line of the value above."""
    indent = len(line) - len(line.lstrip())
    outer = tuple(name for depth, name in path if depth < indent)
    if line.lstrip().startswith("#"):
        outer = tuple(name for depth, name in path if depth < indent or depth == 0 < indent)
    keys.add(outer, (first, first), (first, end))


def ini_structure(text: str) -> Structure:
    """Return the values of an INI, TOML or properties text with their keys, by section."""
    keys = _Keys()
    section: tuple[str, ...] = ()
    at = 0
    for line in text.split("\n"):
        end = at + len(line.rstrip())
        first = at + len(line) - len(line.lstrip())
        heading, pair = _INI_SECTION.fullmatch(line), _INI_KEY.fullmatch(line)
        if line.lstrip().startswith(("#", ";", "!")):
            keys.add(section, (first, first), (first, end))
        elif heading:
            section = tuple(heading["name"].strip().split("."))
        elif pair:
            label = (at + pair.start("key"), at + pair.end("key"))
            value = (at + pair.start("value"), end) if pair["value"] else (label[1], label[1])
            keys.add(section, label, value)
        elif line.strip() and keys.is_open:
            keys.extend(end)  # a value of several lines
        elif line.strip():
            keys.add(section, (first, first), (first, end))
        at += len(line) + 1
    keys.flush()
    return Structure(tuple(keys.blocks))


_JSON_TOKEN = regex.compile(
    r'"(?:[^"\\\n]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+|//[^\n]*|/\*.*?\*/', regex.DOTALL
)


def json_structure(text: str) -> Structure:
    """Return the values of a JSON text with their keys, under the keys around them."""
    reader = _JsonReader(text)
    for token in _JSON_TOKEN.finditer(text):
        reader.read(token)
    return Structure(reader.finish())


@dataclass
class _JsonReader:
    """One pass over the tokens of a JSON text, which may be damaged."""

    text: str
    _keys: _Keys = field(default_factory=_Keys)
    _stack: list[str] = field(default_factory=list)
    """Keys of the open objects and lists, empty for those without one."""
    _key: TextRange | None = None
    _value: TextRange | None = None

    def read(self, token: regex.Match[str]) -> None:
        """Take in the next token."""
        mark = token[0]
        if mark == ":":
            self._key, self._value = self._value, None
        elif mark in {"{", "["}:
            key = "" if self._key is None else self.text[slice(*_inside(self.text, self._key))]
            self._stack.append(key)
            self._key, self._value = None, None
        elif mark in {",", "}", "]"}:
            self._end_value()
            if mark != "," and self._stack:
                self._stack.pop()
                self._keys.flush()
        else:
            start = self._value[0] if self._value else token.start()
            self._value = (start, token.end())

    def finish(self) -> tuple[Block, ...]:
        """Return the blocks of all values."""
        self._end_value()
        self._keys.flush()
        return tuple(self._keys.blocks)

    def _end_value(self) -> None:
        if self._value is not None:
            content = _inside(self.text, self._value)
            label = _inside(self.text, self._key) if self._key else (content[0], content[0])
            self._keys.add(tuple(filter(None, self._stack)), label, content)
        self._key, self._value = None, None


def _inside(text: str, span: TextRange) -> TextRange:
    """Return the range of a value without its quotation marks."""
    start, end = span
    is_quoted = end - start > 2 and text[start] == text[end - 1] == '"'
    return (start + 1, end - 1) if is_quoted else span


def log_structure(text: str) -> Structure:
    """Return the lines of a log in blocks of at most `LOG_LINES`."""
    blocks: list[Block] = []
    start = at = number = 0
    for line in text.split("\n"):
        number += 1
        at += len(line) + 1
        if number >= LOG_LINES or not line.strip():
            blocks += code_blocks(text, start, min(at, len(text)), ())
            start, number = at, 0
    blocks += code_blocks(text, start, len(text), ())
    return Structure(tuple(blocks))
