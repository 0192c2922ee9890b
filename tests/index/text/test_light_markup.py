"""Headings, listings and comments of reStructuredText, AsciiDoc, Org and LaTeX."""

from __future__ import annotations

from index.text.structure import Structure, content_blocks
from index.text.text_formats import STRUCTURES


def parts(suffix: str, text: str) -> list[tuple[str, str, str]]:
    """Return (heading path, kind, text) of each block of content."""
    structure: Structure = STRUCTURES[suffix](text)
    return [
        (
            " > ".join(block.headings),
            block.kind,
            "\n".join(text[slice(*unit)] for unit in block.units),
        )
        for block in content_blocks(structure.blocks)
    ]


def test_restructured_text() -> None:
    text = """\
======
Boiler
======

.. this comment is not shown
   nor is this

.. _limits:

Limits
------

The limit is 6 bar::

    open(valve)

.. note:: Close the valve first.

.. image:: boiler.png
   :alt: a drawing

Filling
~~~~~~~

- water
- glycol
"""

    assert parts(".rst", text) == [
        ("Boiler > Limits", "paragraph", "The limit is 6 bar::"),
        ("Boiler > Limits", "code", "open(valve)"),
        ("Boiler > Limits", "paragraph", "Close the valve first."),
        ("Boiler > Limits > Filling", "list", "water\nglycol"),
    ]
    assert STRUCTURES[".rst"](text).title == "Boiler"


def test_asciidoc() -> None:
    text = """\
= Boiler
:revdate: 2026-05-04

// not shown
== Limits

[NOTE]
====
The limit is 6 bar.
====

////
nor this
////

----
open(valve)
----
"""

    assert parts(".adoc", text) == [
        ("Boiler > Limits", "paragraph", "The limit is 6 bar."),
        ("Boiler > Limits", "code", "open(valve)"),
    ]
    structure = STRUCTURES[".adoc"](text)
    assert (structure.title, structure.date) == ("Boiler", "2026-05-04")


def test_steps_of_asciidoc() -> None:
    text = """\
== Filling

To fill the boiler:

. Open the valve.
It is the red one.
+
[source,sh]
----
open(valve)
----
* slowly

. Wait.
.. At least an hour.

. Close it.

.Title of a paragraph
After it.

----
. no step
----
"""
    structure = STRUCTURES[".adoc"](text)
    [steps] = [block for block in structure.blocks if block.kind == "list"]

    assert steps.numbered
    assert [text[slice(*entry.content)].split(maxsplit=1)[0] for entry in steps.entries] == [
        "Open",
        "Wait.",
        "Close",
    ]
    assert text[slice(*steps.lead or (0, 0))] == "To fill the boiler:"
    shown = " ".join(text[slice(*unit)] for unit in steps.units)
    assert "open(valve)" in shown
    assert "----" not in shown
    assert [part for part in parts(".adoc", text) if "no step" in part[2]] == [
        ("Filling", "code", ". no step")
    ]


def test_org() -> None:
    text = """\
#+TITLE: Boiler
# not shown
* TODO Limits :safety:
:PROPERTIES:
:ID: 7
:END:
The limit is 6 bar.
** Filling
#+BEGIN_SRC python
open(valve)
#+END_SRC
"""

    assert parts(".org", text) == [
        ("Boiler > Limits", "paragraph", "The limit is 6 bar."),
        ("Boiler > Limits > Filling", "code", "open(valve)"),
    ]


def test_latex() -> None:
    text = r"""\documentclass{article}
\title{The \textbf{boiler}}
\begin{document}
\maketitle
\section{Limits}\label{s}
The limit is 6~bar. % really 4
\begin{verbatim}
open(valve)
\end{verbatim}
100\% safe.
\end{document}
not shown
"""

    assert parts(".tex", text) == [
        ("The boiler > Limits", "paragraph", "The limit is 6~bar."),
        ("The boiler > Limits", "code", "open(valve)"),
        ("The boiler > Limits", "paragraph", r"100\% safe."),
    ]
