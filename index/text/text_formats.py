"""Formats whose files are text: their suffixes and names, and the functions that read them.

Such files keep their bytes: every quote from them is a range of bytes of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from index.text import light_markup, source_code
from index.text.markdown import markdown_structure, mdx_structure
from index.text.plain_text import plain_structure
from index.text.structure import Structure

StructureOf = Callable[[str], Structure]
"""Finds the structure of a decoded text."""

_CODE = (
    ".bas .bash .bat .c .cc .cjs .clj .cmake .cmd .cpp .cs .css .cxx .dart .erl .ex .exs"
    " .fish .go .gql .gradle .graphql .groovy .h .hcl .hpp .hs .java .jl .js .jsx .kt .kts"
    " .less .lua .mjs .ml .php .pl .pm .proto .ps1 .psm1 .py .pyi .r .rb .rs .scala .scss .sh"
    " .sql .svelte .swift .tf .ts .tsx .vb .vue .zsh"
)
_FORMATS: tuple[tuple[StructureOf, str], ...] = (
    (plain_structure, ".txt .text"),
    (markdown_structure, ".md .markdown .mdown .mkd .qmd .rmd"),
    (mdx_structure, ".mdx"),
    (light_markup.rst_structure, ".rst .rest"),
    (light_markup.asciidoc_structure, ".adoc .asciidoc .asc"),
    (light_markup.org_structure, ".org"),
    (light_markup.latex_structure, ".tex .latex .ltx"),
    (source_code.log_structure, ".log"),
    (source_code.code_structure, _CODE),
    (source_code.diff_structure, ".diff .patch"),
    (source_code.yaml_structure, ".yaml .yml"),
    (source_code.ini_structure, ".toml .ini .cfg .conf .env .properties"),
    (source_code.json_structure, ".json .jsonl .ndjson .json5 .jsonc"),
)
STRUCTURES: Mapping[str, StructureOf] = {
    suffix: structure_of for structure_of, suffixes in _FORMATS for suffix in suffixes.split()
}
"""Functions that find the structure of a text, by the suffix of its file in lower case."""
_PLAIN_NAMES = (
    "authors changelog changes contributing contributors copying copyright faq history install"
    " licence license maintainers news notice readme thanks todo version"
)
_CODE_NAMES = "dockerfile jenkinsfile makefile procfile vagrantfile"
NAMES: Mapping[str, StructureOf] = {
    **dict.fromkeys(_PLAIN_NAMES.split(), plain_structure),
    **dict.fromkeys(_CODE_NAMES.split(), source_code.code_structure),
}
"""Functions for files without a suffix, by their names in lower case."""


def structure_of_name(name: str) -> StructureOf | None:
    """Return the function that reads a text file of a name, None for other files."""
    path = PurePath(name)
    return STRUCTURES.get(path.suffix.lower()) or NAMES.get(path.name.lower())
