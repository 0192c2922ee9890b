"""Wordings by which kinds of questions are recognised, and the names that they compare."""

from __future__ import annotations

import regex

from index.store.snapshot import DocumentInfo

_ARTICLE = regex.compile(r"^(?:the|our|my|an?|this|that) ", regex.IGNORECASE)
_JOINTS = regex.compile(r"[_/.-]")
"""Characters that join words in the names of files."""


def whole(pattern: str) -> regex.Pattern[str]:
    """Return a pattern that matches a whole question in upper or lower case."""
    return regex.compile(rf"^{pattern}$", regex.IGNORECASE)


def without_marks(question: str) -> str:
    """Return a question or request without white space around it and marks at its end."""
    return question.strip().rstrip("?!.").strip()


def without_article(topic: str) -> str:
    """Return a topic without the article or possessive in front of it."""
    return _ARTICLE.sub("", topic)


def document_name(document: DocumentInfo) -> str:
    """Return the title and the path of a document as words."""
    return _JOINTS.sub(" ", f"{document.title} {document.uri}")
