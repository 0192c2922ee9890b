"""Groups of a Rich Text file, rearranged for a converter that passes over them.

striprtf fails on some pictures and drops footnotes and comments. So the file is written anew, token
by token: pictures are left out, a footnote follows the paragraph that it belongs to, comments are
collected, and what a reader cannot see (`index.text.unseen`) or what was deleted is taken out.
Source: Rich Text Format Specification, version 1.9.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import regex

from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

_TOKEN = regex.compile(
    r"\\bin(?P<binary>\d+) ?|\\(?P<word>[A-Za-z]+)(?P<value>-?\d+)?+ ?|\\'[0-9A-Fa-f]{2}"
    r"|\\(?P<symbol>[^A-Za-z])|(?P<brace>[{}])|(?P<text>[^\\{}]+)",
    regex.DOTALL,
)
_COLOUR_TABLE = regex.compile(r"\{\\colortbl(?P<colours>[^{}]*)\}")
_COLOUR_PART = regex.compile(r"\\(red|green|blue)(\d{1,3})")
_ENDS = {"par", "row", "sect", "page"}
"""Words that end a paragraph, after which its footnotes may stand."""
_SWITCHES = {"v": "is_hidden", "deleted": "is_deleted"}
"""Properties by the words that turn them on, or off with a 0."""
_NUMBERS = {
    "cf": "colour",
    "cb": "ground",
    "highlight": "ground",
    "chcbpat": "ground",
    "fs": "half_points",
}
"""Properties by the words that set them to a number."""
_PICTURES = {"pict", "objdata", "bliptag"}
_UNKNOWN_DESTINATION = "\\*"
"""Mark of a group to be passed over; some writers put it inside groups, where it says nothing."""
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class _State:
    """Properties of the text inside a group; `sink` collects it, None for what is left out."""

    sink: list[str] | None
    is_hidden: bool = False
    is_deleted: bool = False
    colour: int = 0
    half_points: int = 24
    ground: int = 0


@dataclass
class RichText:
    """Source of a Rich Text file that striprtf reads whole, and of each comment in it."""

    source: str
    comments: list[str] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)


def rearranged(source: str) -> RichText:
    """Return a Rich Text source without pictures and hidden text, with footnotes as paragraphs."""
    pass_over = _Pass(source)
    pass_over.run()
    return RichText("".join(pass_over.main), pass_over.comments, pass_over.left_out)


class _Pass:
    """One pass over the tokens of a source."""

    def __init__(self, source: str) -> None:
        self.main: list[str] = []
        self.comments: list[str] = []
        self.left_out = LeftOut()
        self._source = source
        self._colours = _colours(source)
        self._states = [_State(self.main)]
        self._notes: list[list[str]] = []
        self._is_in_row = False

    def run(self) -> None:
        """Read all tokens. Bytes that are no token are dropped."""
        at = 0
        while token := _TOKEN.search(self._source, at):
            at = token.end()
            if token["binary"]:
                at += int(token["binary"])
            elif token["brace"]:
                self._read_brace(token[0])
            elif token["word"]:
                self._read_word(token["word"], token["value"], token[0])
            elif token[0] != _UNKNOWN_DESTINATION or self._begins_group():
                self._write_text(token[0], is_text=not token["symbol"])
        self._write_last_notes()

    @property
    def _state(self) -> _State:
        return self._states[-1]

    def _begins_group(self) -> bool:
        """Return True right behind the brace of a group."""
        return self._state.sink is None or self._state.sink[-1:] == ["{"]

    def _write(self, text: str) -> None:
        if self._state.sink is not None:
            self._state.sink.append(text)

    def _write_text(self, text: str, *, is_text: bool) -> None:
        state = self._state
        if state.is_deleted:
            return
        if is_text and state.sink is not None and self._is_unseen(state):
            if text.strip():
                self.left_out.note("hidden text")
            return
        self._write(text)

    def _is_unseen(self, state: _State) -> bool:
        if state.is_hidden or state.half_points < 2 * SMALLEST_POINTS:
            return True
        colour = self._colours.get(state.colour)
        # The first entry of the table is that of letters; a ground without a number is the paper.
        ground = self._colours.get(state.ground, _WHITE) if state.ground else _WHITE
        return colour is not None and is_same_colour(colour, ground)

    def _read_brace(self, brace: str) -> None:
        if brace == "{":
            self._write(brace)
            self._states.append(self._state)
            return
        if len(self._states) == 1:  # one too many, as at the end of damaged files
            return
        closed = self._states.pop()
        if closed.sink is self._state.sink:
            self._write(brace)
            return
        # The destination that ends here began after the brace that is already written.
        self._write("}")
        if closed.sink is not None and self._state.sink is not None:
            self._end_destination(closed.sink)

    def _end_destination(self, sink: list[str]) -> None:
        if sink[:1] == ["\\annotation "]:
            self.comments.append("{\\rtf1 " + "".join(sink[1:]) + "}")
        elif sink[:1] == ["\\footnote "]:
            self._notes.append(sink[1:])

    def _read_word(self, word: str, value: str | None, token: str) -> None:
        if word in _PICTURES:
            self._states[-1] = replace(self._state, sink=None)
        elif word in {"footnote", "annotation"} and self._state.sink is self.main:
            self._states[-1] = replace(self._state, sink=[f"\\{word} "])
        else:
            self._states[-1] = _changed(self._state, word, value)
            self._write(token)
        if self._state.sink is self.main:
            self._end_paragraph(word)

    def _end_paragraph(self, word: str) -> None:
        if word == "trowd":
            self._is_in_row = True
        elif word == "row":
            self._is_in_row = False
        if word in _ENDS and not self._is_in_row:
            self._flush_notes()

    def _write_last_notes(self) -> None:
        """Write the notes of a last paragraph without an end, inside the group of the file."""
        if not self._notes:
            return
        ends = []
        while self.main and self.main[-1].strip() in {"}", ""}:
            ends.append(self.main.pop())
        self.main.append("\\par ")
        self._flush_notes()
        self.main += reversed(ends)

    def _flush_notes(self) -> None:
        notes, self._notes = self._notes, []
        for note in notes:
            self.main += ["{\\pard ", *note, "\\par}\n"]


def _changed(state: _State, word: str, value: str | None) -> _State:
    """Return the properties of the text after a control word."""
    if word == "plain":
        return _State(state.sink)
    if word in _SWITCHES:
        is_on = value is None or value.strip("-0") != ""
        return replace(state, **{_SWITCHES[word]: is_on})  # type: ignore[arg-type]  # a flag
    if word in _NUMBERS and value is not None and len(value) <= 6:
        return replace(state, **{_NUMBERS[word]: int(value)})  # type: ignore[arg-type]  # a number
    return state


def _colours(source: str) -> dict[int, tuple[int, int, int]]:
    """Return the colours of the file's table by their numbers; automatic ones are left out."""
    table = _COLOUR_TABLE.search(source)
    if table is None:
        return {}
    colours = {}
    for number, entry in enumerate(table["colours"].split(";")):
        parts = {name: int(value) for name, value in _COLOUR_PART.findall(entry)}
        if len(parts) == 3:
            colours[number] = (parts["red"], parts["green"], parts["blue"])
    return colours
