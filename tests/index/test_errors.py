"""Tests that the error tree is the one in the module docstring."""

from __future__ import annotations

import builtins
import inspect

import regex

from index import errors


def _drawn() -> dict[str, str]:
    """Return each class of the drawing with its parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = regex.match(r"    ([│├└─ ]*)(\w+)", line)
        if found:
            depth = len(found[1]) // 4
            path = [*path[:depth], found[2]]
            parents[found[2]] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_drawing_shows_every_class_under_its_parent() -> None:
    classes = {
        name: kind.__base__.__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__base__
    }

    assert _drawn() == classes


def test_no_error_hides_a_builtin() -> None:
    assert not set(_drawn()) & set(dir(builtins))


def test_every_error_has_a_docstring() -> None:
    assert all(inspect.getdoc(getattr(errors, name)) for name in _drawn())
