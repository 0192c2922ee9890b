"""Definitions and keys are the headings of source code and configuration."""

from __future__ import annotations

import pytest

from index.text.structure import content_blocks
from index.text.text_formats import STRUCTURES
from tests.index.text.test_light_markup import parts


def test_functions_and_classes_are_headings() -> None:
    text = """\
import os

class Valve:
    limit = 6

    # Opens it slowly.
    def open(self):
        return 1

def close():
    return 2
"""

    assert parts(".py", text) == [
        ("", "code", "import os"),
        ("Valve", "code", "class Valve:\nlimit = 6"),
        ("Valve > open", "code", "# Opens it slowly.\ndef open(self):\nreturn 1"),
        ("close", "code", "def close():\nreturn 2"),
    ]


@pytest.mark.parametrize(
    ("suffix", "line", "name"),
    [
        (".js", "export async function load(url) {", "load"),
        (".ts", "const load = async (url) => {", "load"),
        (".go", "func (v *Valve) Open() error {", "Open"),
        (".rs", "pub fn open(&self) -> u8 {", "open"),
        (".java", "    public static int open(String name) {", "open"),
        (".c", "static int open_valve(int n) {", "open_valve"),
        (".sh", "open_valve() {", "open_valve"),
        (".sql", "CREATE TABLE IF NOT EXISTS valves (", "valves"),
        (".rb", "  def open", "open"),
    ],
)
def test_definitions_in_other_languages(suffix: str, line: str, name: str) -> None:
    text = f"start\n{line}\n  x = 1\n"

    assert [block.headings for block in content_blocks(STRUCTURES[suffix](text).blocks)] == [
        (),
        (name,),
    ]


def test_statements_are_no_definitions() -> None:
    text = "int main(void) {\n  if (x) {\n    y();\n  } else if (z) {\n  }\n}\n"

    assert [path for path, _, _ in parts(".c", text)] == ["main"]


def test_keys_of_yaml() -> None:
    text = """\
# The boiler
boiler:
  limit: 6 bar
  valves:
    - name: main
      size: 3
pump:
  limit: 9 bar
"""

    assert parts(".yaml", text) == [
        ("", "pairs", "# The boiler"),
        ("boiler", "pairs", "limit: 6 bar"),
        ("boiler > valves", "pairs", "name: main\nsize: 3"),
        ("pump", "pairs", "limit: 9 bar"),
    ]


@pytest.mark.parametrize("text", ['{"boiler": {"limit": "6 bar", "size": 3}, "tags": ["a", "b"]}'])
def test_keys_of_json(text: str) -> None:
    assert parts(".json", text) == [
        ("boiler", "pairs", 'limit": "6 bar\nsize": 3'),
        ("tags", "pairs", "a\nb"),
    ]


def test_sections_of_toml_and_ini() -> None:
    text = '[boiler.main]\n# bar\nlimit = 6\nmodes = [\n  "a",\n]\n[pump]\nlimit: 9\n'

    assert parts(".toml", text) == [
        ("boiler > main", "pairs", '# bar\nlimit = 6\nmodes = [\n  "a",\n]'),
        ("pump", "pairs", "limit: 9"),
    ]


def test_lines_of_a_log() -> None:
    text = "\n".join(f"2026-05-04 12:{at:02} started" for at in range(60)) + "\n\nstopped\n"

    assert [len(block.units) for block in STRUCTURES[".log"](text).blocks] == [60, 1]
