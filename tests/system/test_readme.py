"""The README's commands exist, and its session is what the program prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qa.interfaces.cli import cli
from qa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
NUMBER = re.compile(r"[+-]?\d+\.\d+")


def _marked(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```sh\n(.+)\n```\n<!-- end -->", README)
    assert found, f"the README has no command marked {name!r}"
    return found[1]


def _session(question: str) -> str:
    found = re.search(
        rf'\$ qa ask "{re.escape(question)}"[^\n]*\n(.*?)\n(?:exit code \d\n)?```',
        README,
        re.DOTALL,
    )
    assert found, f"the README does not ask {question!r}"
    return found[1]


def test_every_command_of_the_readme_exists() -> None:
    named = {tuple(match.split()) for match in re.findall(r"`qa ([a-z]+(?: [a-z]+)?)", README)}
    known = set(cli.commands) | {f"eval {name}" for name in cli.commands["eval"].commands}  # type: ignore[attr-defined]

    assert named, "the README names no commands"
    for words in named:
        assert words[0] in cli.commands
        assert words[0] != "eval" or " ".join(words) in known


def test_the_readme_names_every_setting() -> None:
    documented = set(re.findall(r"QUOTED_[A-Z_]+", Settings.__doc__ or ""))

    assert set(re.findall(r"QUOTED_[A-Z_]+", README)) == documented


def test_ci_runs_the_readmes_test_command() -> None:
    script = "sed -n '/<!-- test -->/,/<!-- end -->/p' README.md | grep -v '^<!--\\|^```'"
    assert script in (ROOT / ".ci" / "run").read_text("utf-8")

    extracted = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert extracted.strip() == _marked("test")
    assert _marked("test").endswith("python -m pytest")
    assert _marked("try").endswith('qa ask "How much will Amazon invest in Anthropic?"')


@pytest.mark.parametrize(
    "question", ["How much will Amazon invest in Anthropic?", "When will the tariffs take effect?"]
)
def test_the_readme_shows_what_is_printed(question: str, model_cache: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "QUOTED_CACHE": str(model_cache),
        "QUOTED_DATA": str(tmp_path),
        "COLUMNS": "100",
    }
    command = [str(Path(sys.executable).with_name("qa")), "ask", question]

    printed = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    ).stdout

    assert NUMBER.sub("0.0", printed.strip()) == NUMBER.sub("0.0", _session(question).strip())
