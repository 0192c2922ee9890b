"""Lay out the test files of public converters beside their own expected outputs.

    python benchmarks/truths.py OUT [--pandoc CLONE] [--markitdown CLONE] [--docling CLONE]

Each CLONE is a git clone (also a bare one) of jgm/pandoc, microsoft/markitdown or
docling-project/docling. OUT gets a folder for each collection and format, which
``benchmarks/order.py`` measures. Nothing of it belongs into this repository.

- pandoc: files of ``test/`` beside their syntax tree in pandoc's native form (``.native``). Notes
  follow their paragraph, those of a book its text; formulas and pictures, with their alternative
  texts, are no text and left out. Whole numbers of sheets are written as the sheet shows them.
  Files that pandoc's own writers make of a tree have that tree as their truth. Of the metadata only
  those of Word count, which stand in its paragraphs.
- markitdown: its expected outputs in Markdown.
- docling: its expected outputs in Markdown.
"""

import argparse
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import regex

Tree = list["Tree | str"]
"""Syntax tree of pandoc: names, numbers and quoted strings, with a list for each bracket."""

_TOKEN = regex.compile(r'"(?:[^"\\]|\\.)*"|[][()]|[^\s,"()\[\]{}=]+')
_READ = {".docx", ".odt", ".rtf", ".epub", ".pptx", ".xlsx", ".html", ".rst", ".org", ".latex"}
_READ |= {".tex", ".ipynb", ".csv", ".tsv", ".asciidoc"}
_WHOLE_NUMBER = regex.compile(r"(?<![\d.])(\d+)\.0(?![\d.])")
"""A number as pandoc writes those of sheets: "23.0", where the sheet shows 23."""
_HASKELL_ESCAPE = regex.compile(r"\\(?:(\d+)|x([0-9A-Fa-f]+)|(&)|(.))")
_TEXTS = {"Str": 0, "Code": 1, "CodeBlock": 1, "MetaString": 0}
"""Nodes with text, and which of their arguments it is."""
_INNER = {
    "Para": 0,
    "Plain": 0,
    "Header": 2,
    "Link": 1,
    "Span": 1,
    "Div": 1,
    "LineBlock": 0,
    "MetaInlines": 0,
    "MetaBlocks": 0,
    "Cite": 1,
}
"""Nodes with others inside, and which of their arguments holds them."""
_ARGUMENTS = {
    "Str": 1,
    "Code": 2,
    "CodeBlock": 2,
    "MetaString": 1,
    "Note": 1,
    "Table": 6,
    "Para": 1,
    "Plain": 1,
    "Header": 3,
    "Link": 3,
    "Span": 2,
    "Div": 2,
    "LineBlock": 1,
    "Cite": 2,
    "MetaInlines": 1,
    "MetaBlocks": 1,
    "DefinitionList": 1,
    "RawInline": 2,
    "RawBlock": 2,
    "Math": 2,
    "Image": 3,
    "Quoted": 0,
}
"""Numbers of arguments; those that are in no other table are no text."""
_SPACES = {"Space", "SoftBreak", "LineBreak"}
_BLOCKS = {"Para", "Plain", "Header", "CodeBlock", "LineBlock", "MetaInlines", "MetaBlocks"}
_META_SHOWN = ("title", "subtitle", "author", "date", "abstract")


def files_of(clone: Path, folder: str) -> dict[PurePosixPath, bytes]:
    """Return the files below a folder of the newest commit of a clone, by their path below it.

    Files whose content the clone lacks, as a partial one does, are left out.
    """
    git = ["git", "-C", str(clone)]
    listed = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "--format=%(objectname) %(path)", "HEAD", folder],
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    names = [line.split(" ", 1) for line in listed.split("\0") if line]
    wanted = "".join(f"{identity}\n" for identity, _ in names)
    answer = subprocess.run(
        [*git, "cat-file", "--batch"], input=wanted.encode(), capture_output=True, check=True
    )
    contents = io.BytesIO(answer.stdout)
    files = {}
    for _, path in names:
        *_, size = contents.readline().decode().split()
        if size.isdecimal():  # "missing" otherwise
            files[PurePosixPath(path).relative_to(folder)] = contents.read(int(size))
            contents.read(1)
    return files


def parse_native(source: str) -> Tree:
    """Return the tree of a text in pandoc's native form."""
    tree: Tree = []
    open_lists = [tree]
    for part in _TOKEN.findall(source):
        if part in "([":
            inner: Tree = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif part in ")]":
            open_lists.pop()
        else:
            open_lists[-1].append(part)
    return tree


def unquoted(token: str) -> str:
    """Return the text of a Haskell string literal."""

    def character(match: regex.Match[str]) -> str:
        decimal, hexadecimal, nothing, single = match.groups()
        if nothing:
            return ""
        if single:
            return {"n": "\n", "t": "\t"}.get(single, single)
        return chr(int(decimal) if decimal else int(hexadecimal, 16))

    return _HASKELL_ESCAPE.sub(character, token[1:-1])


class NativeText:
    """Text of a syntax tree: notes after their block or at the end, tables as pipe tables."""

    def __init__(self, *, notes_last: bool = False) -> None:
        self._notes_last = notes_last
        self._parts: list[str] = []
        self._notes: Tree = []

    def written(self, nodes: Tree) -> str:
        """Write the nodes of one bracket in order, and return all that was written."""
        at = 0
        while at < len(nodes):
            node, arguments = nodes[at], nodes[at + 1 :]
            if isinstance(node, list):
                self.written(node)
                at += 1
            else:
                at += 1 + self._write_node(node, arguments)
        return "".join(self._parts)

    def whole(self, nodes: Tree) -> str:
        """Return the text of a whole document."""
        self.written(nodes)
        self._notes_last = False
        self._end_block()
        return "".join(self._parts)

    def _write_node(self, name: str, arguments: Tree) -> int:
        """Write a node, and return the number of its arguments."""
        if name in _TEXTS:
            self._parts.append(unquoted(str(arguments[_TEXTS[name]])))
        elif name == "Note":
            self._notes.append(arguments[0])
        elif name == "Table":
            self._write_table(arguments)
        elif name == "DefinitionList":
            for entry in arguments[0]:
                self.written(list(entry[:1]))
                self._end_block()
                self.written(list(entry[1:]))
        elif name in _INNER:
            self.written([arguments[_INNER[name]]])
        elif name in _SPACES:
            self._parts.append(" ")
        if name in _BLOCKS:
            self._end_block()
        return _ARGUMENTS.get(name, 0)

    def _end_block(self) -> None:
        self._parts.append("\n\n")
        if self._notes_last:
            return
        notes, self._notes = self._notes, []
        self.written(notes)

    def _write_table(self, arguments: Tree) -> None:
        """Write a table with its caption first; its first row counts as the names of columns."""
        self.written([arguments[1]])
        for number, row in enumerate(named(arguments[3:6], "Row", 1)):
            cells = [NativeText().written([cell]) for cell in named([row], "Cell", 4)]
            self._parts.append(f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |\n")
            if number == 0:
                self._parts.append(f"|{'---|' * len(cells)}\n")
        self._end_block()


def named(tree: Tree, name: str, argument: int) -> Iterator["Tree | str"]:
    """Yield one argument of each node of a name, outermost nodes alone."""
    at = 0
    while at < len(tree):
        node = tree[at]
        if node == name:
            yield tree[at + 1 + argument]
            at += argument + 1
        elif isinstance(node, list):
            yield from named(node, name, argument)
        at += 1


def native_text(source: str, kind: str) -> str:
    """Return the text of a file in pandoc's native form; `kind` is the suffix of the document."""
    tree = parse_native(source)
    shown: list[str] = []
    if tree[:1] == ["Pandoc"]:
        pairs = next(named(tree[1:], "fromList", 0), []) if kind == ".docx" else []
        values = {pair[0]: pair[1:] for pair in pairs if isinstance(pair, list) and pair}
        shown = [NativeText().whole(values.get(f'"{name}"', [])) for name in _META_SHOWN]
        tree = tree[-1:]
    text = "\n\n".join([*shown, NativeText(notes_last=kind == ".epub").whole(tree)])
    return _WHOLE_NUMBER.sub(r"\1", text) if kind == ".xlsx" else text


def lay_out(folder: Path, name: str, data: bytes, truth: str) -> None:
    """Write a file and its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / f"{name}.md").write_text(truth)


def lay_out_pandoc(clone: Path, out: Path) -> None:
    """Lay out the files of pandoc's tests that stand beside a tree."""
    files = files_of(clone, "test")
    for path, data in files.items():
        if path.suffix not in _READ or "golden" in path.parts or path.name == "tables.rtf":
            continue
        candidates = (
            path.with_suffix(".native"),
            PurePosixPath("odt/native", path.with_suffix(".native").name),
            path.with_name("input.native") if path.name == "output.pptx" else path,
            path.with_name(f"{path.stem}_accept.native"),
        )
        tree = next(
            (files[each] for each in candidates[:4] if each != path and each in files), None
        )
        if tree is not None:
            name = "-".join(path.parts[-3:])
            lay_out(
                out / f"pandoc-{path.suffix[1:]}",
                name,
                data,
                native_text(tree.decode(), path.suffix),
            )


def lay_out_markitdown(clone: Path, out: Path) -> None:
    """Lay out the files of markitdown's tests."""
    base = "packages/markitdown/tests"
    files = files_of(clone, base)
    for path, data in files.items():
        if path.parent.name != "test_files":
            continue
        expected = files.get(path.parent / "expected_outputs" / f"{path.stem}.md")
        if expected is not None and path.suffix == ".pdf":
            lay_out(out / f"markitdown-{path.suffix[1:]}", path.name, data, expected.decode())


def lay_out_docling(clone: Path, out: Path) -> None:
    """Lay out the files of docling's tests that stand beside their Markdown."""
    files = files_of(clone, "tests/data")
    for path, data in files.items():
        if len(path.parts) < 3 or path.parts[1] != "sources":
            continue
        kind, name = path.parts[0], "/".join(path.parts[2:])
        truth = files.get(PurePosixPath(kind, "groundtruth", f"{name}.md"))
        if truth is not None:
            lay_out(out / f"docling-{kind}", path.name, data, truth.decode())


def main() -> None:
    """Parse the arguments and lay out the files of the clones."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    collections = {
        "pandoc": lay_out_pandoc,
        "markitdown": lay_out_markitdown,
        "docling": lay_out_docling,
    }
    for name in collections:
        parser.add_argument(f"--{name}", type=Path, metavar="CLONE")
    options = parser.parse_args()
    for name, lay_out_files in collections.items():
        if getattr(options, name):
            lay_out_files(getattr(options, name), options.out)


if __name__ == "__main__":
    main()
