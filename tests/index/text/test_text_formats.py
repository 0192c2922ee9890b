"""Every text format becomes sound blocks, whatever the text is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.text.structure import Structure
from index.text.text_formats import STRUCTURES, StructureOf, structure_of_name

PIECES = st.sampled_from(
    [
        "a", "B c", "\n", "\n\n", "  ", ":", "::", "=", "==== \n", "----\n", ".. ", ".. note:: x\n",
        ".. code::\n\n   x\n", "* ", "# ", "## ", "#+BEGIN_SRC\n", "#+END_SRC\n", "#+TITLE: t\n",
        "////\n", "// x\n", "% x\n", "\\section{a}\n", "\\begin{document}", "\\end{document}",
        "\\begin{verbatim}x\\end{verbatim}", "<!-- x -->", "<!--", "`", "```\n", "def f():\n",
        "class A:\n    ", "key: ", "- ", "[a.b]\n", "k = v\n", "{", "}", "[", "]", ",", '"x"', '"',
        ":PROPERTIES:\n", ":END:\n", "+++\n", "---\n", "...\n", "| a | b |\n", "|---|---|\n",
        "====  ====\n", "a     b\n", "\\begin{tabular}{ll}", "\\end{tabular}", " & b \\\\\n",
        "\\hline\n", "--- a/x\n+++ b/x\n", "diff x\n", "import x\n", "{/*", "*/}", "…é\u200b",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def assert_sound(text: str, structure: Structure) -> None:
    """Check that blocks and their parts stand in the text, in order."""
    before = 0
    for block in structure.blocks:
        assert before <= block.start < block.end <= len(text)
        # The items of a Markdown list may be empty, its last one, too.
        assert block.kind == "list" or block.units[-1][1] == block.end
        at = block.start
        for start, end in block.units:
            assert at <= start < end <= block.end
            assert text[start:end].strip()
            at = end
        for entry in block.entries:
            for start, end in entry:
                assert block.start <= start <= end <= block.end
        before = block.end


@pytest.mark.parametrize("structure_of", sorted(set(STRUCTURES.values()), key=repr))
@settings(max_examples=40)
@given(text=TEXTS)
def test_blocks_are_sound_whatever_the_text_is(structure_of: StructureOf, text: str) -> None:
    assert_sound(text, structure_of(text))


@pytest.mark.parametrize(
    ("name", "is_text"),
    [
        ("README", True),
        ("license", True),
        ("Makefile", True),
        ("main.py", True),
        ("compose.YAML", True),
        ("notes", False),
        ("picture.png", False),
        ("README.exe", False),
    ],
)
def test_names_of_text_files(name: str, is_text: bool) -> None:  # noqa: FBT001 - parametrized
    assert (structure_of_name(name) is not None) == is_text


def headings_of(name: str, text: str) -> dict[str, tuple[str, ...]]:
    """Return the headings of each unit of a text in a file of this name."""
    structure_of = structure_of_name(name)
    assert structure_of is not None
    blocks = structure_of(text).blocks
    return {text[start:end]: block.headings for block in blocks for start, end in block.units}


def test_mdx_without_its_comments_and_modules() -> None:
    text = (
        'import Chart from "./chart"\nexport const meta = {\n  a: 1 }\n\n# Pumps\n\n'
        "The pump costs 3. {/* internal: 2 */}\n\n```js\nimport x\n```\n"
    )

    assert list(headings_of("a.mdx", text)) == [
        "# Pumps", "The pump costs 3.", "```js", "import x", "```"
    ]  # fmt: skip


def test_changes_of_a_patch_stand_under_their_files() -> None:
    text = (
        "Fix the pump.\n\ndiff --git a/old.py b/new.py\nindex 1..2\n--- a/old.py\n+++ b/new.py\n"
        "@@ -1 +1 @@\n-x = 1\n+x = 2\n--- a/two.py\t2026-03-02\n+++ b/two.py\t2026-03-02\n+y = 3\n"
    )

    headings = headings_of("fix.patch", text)

    assert headings["Fix the pump."] == ()
    assert headings["+x = 2"] == headings["diff --git a/old.py b/new.py"] == ("new.py",)
    assert headings["+y = 3"] == ("two.py",)


def test_blocks_of_hcl_are_headings() -> None:
    text = 'resource "server" "web" {\n  size = 3\n}\nvariable "region" {\n  default = "eu"\n}\n'

    headings = headings_of("main.hcl", text)

    assert headings["size = 3"] == ('resource "server" "web"',)
    assert headings['default = "eu"'] == ('variable "region"',)
