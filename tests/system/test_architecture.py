"""Packages are used through the modules that they name, and every name is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@cache
def _modules() -> dict[str, Path]:
    """The files of all modules and packages, by dotted name."""
    files = [path for top in ("index", "qa") for path in (ROOT / top).rglob("*.py")]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in files}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


PACKAGES = sorted(
    name for name, path in _modules().items() if path.name == "__init__.py" and "." in name
)


@cache
def _imports(path: Path) -> frozenset[str]:
    """The modules that a file imports, lazy imports included."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in _modules() else node.module


def _used_from_outside(package: str) -> set[str]:
    """The modules and packages right below a package that code outside of it imports."""
    depth = package.count(".") + 1
    return {
        target.split(".")[depth]
        for name, path in _modules().items()
        if not f"{name}.".startswith(f"{package}.")
        for target in _imports(path)
        if target.startswith(f"{package}.")
        and ".".join(target.split(".")[: depth + 1]) in _modules()
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_names_the_modules_that_others_import(package: str) -> None:
    assert sorted(_used_from_outside(package)) == sorted(
        getattr(import_module(package), "__all__", [])
    )
