"""Answers to questions about your documents, in the documents' own words.

from qa import Library

with Library.of_folder("contracts") as library:
    print(library.ask("How long is the notice period?"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.answer import Answer, AnswerSpan, Citation, Refusal
    from qa.errors import QAError
    from qa.interfaces.python import Library
    from qa.settings import Settings

__all__ = [
    "Answer",
    "AnswerSpan",
    "Citation",
    "Library",
    "QAError",
    "Refusal",
    "Settings",
    "__version__",
]

_HOMES = {
    "Answer": "qa.answer",
    "AnswerSpan": "qa.answer",
    "Citation": "qa.answer",
    "Library": "qa.interfaces.python",
    "QAError": "qa.errors",
    "Refusal": "qa.answer",
    "Settings": "qa.settings",
}
"""Modules of the public names: imported at their first use (PEP 562), so that `qa` starts cold."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or the version
    """Import a public name at its first use; raises AttributeError."""
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("quoted-qa")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
