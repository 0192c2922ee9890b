"""Tests of the docs against the code: commands, settings, routes, files, links, output."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from qa import Library
from qa.interfaces.cli import cli
from qa.interfaces.server import create_app
from qa.settings import Settings
from tests.support.serving import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
}
README = PAGES["README.md"]
SETTINGS_MODULES = ("settings", "settings_file")
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


def _leaves(group: click.Group, prefix: str = "") -> Iterator[str]:
    """Yield the full names of all commands of a group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}"


def test_every_command_in_the_docs_exists() -> None:
    known = {*_leaves(cli), *cli.commands}
    for page, text in PAGES.items():
        for words in re.findall(r"`qa ([a-z][a-z-]*(?: [a-z]+)?)", text):
            first = words.split()[0]
            assert words in known or first in known, f"{page} names `qa {words}`"


def _deployed() -> dict[str, str]:
    """Return the files of deploy/ that name commands."""
    names = ("*.md", "*.yaml", "*.service", "*.yml", "Dockerfile", "Caddyfile", "nginx.conf")
    paths = [path for name in names for path in (ROOT / "deploy").rglob(name)]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def _command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words behind each `qa` in a text, up to the end of its line or of its quotes."""
    for match in re.finditer(r"(?<![\w./-])qa (?P<words>[a-z][^`\n\"|;&>]*)", text):
        yield match["words"].split()
    # As a list, in files of compose and Kubernetes.
    for match in re.finditer(r"(?:command|args): \[(?P<words>serve[^\]]*)\]", text):
        yield [word.strip(' "') for word in match["words"].split(",")]


def _options(words: list[str]) -> tuple[str, set[str], set[str]]:
    """Return the command of a line, the options that it has, and those that the line names."""
    command: click.Command = cli
    name = []
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
        name.append(word)
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    named = {word.split("=")[0].rstrip(".,:)'’") for word in words if word.startswith("--")}
    return " ".join(name), known | {"--help"}, named - {"--"}


def test_commands_in_the_docs_and_in_deploy_take_the_options_they_are_shown_with() -> None:
    seen = 0
    for page, text in (PAGES | _deployed()).items():
        for words in _command_lines(text):
            command, known, named = _options(words)
            if command:
                assert named <= known, f"{page}: qa {' '.join(words)}"
                seen += len(named)

    assert seen > 40


def test_the_page_of_commands_lists_every_command() -> None:
    listed = PAGES["docs/commands.md"]

    assert [name for name in _leaves(cli) if f"`qa {name}" not in listed] == []


def test_the_page_of_settings_lists_every_setting() -> None:
    listed = set(re.findall(r"`((?:QUOTED|SLACK)_[A-Z_]+)`", PAGES["docs/settings.md"]))
    read = set(
        re.findall(
            r"[\"']((?:QUOTED|SLACK)_[A-Z_]+)[\"']",
            "".join((ROOT / f"qa/{name}.py").read_text("utf-8") for name in SETTINGS_MODULES),
        )
    )

    assert listed == read
    for page, text in PAGES.items():
        assert set(re.findall(r"QUOTED_[A-Z_]+", text)) <= read, page


def test_the_page_of_settings_gives_the_defaults(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path)
    rows = re.findall(r"^\| `QUOTED_(\w+)` \| ([\d.]+) \|", PAGES["docs/settings.md"], re.MULTILINE)

    assert len(rows) >= 4
    for name, default in rows:
        owner = settings.slack if name.startswith("SLACK_") else settings
        value = getattr(owner, name.removeprefix("SLACK_").lower())
        assert float(value) == float(default), name


def test_the_page_of_http_lists_every_route(tmp_path: Path) -> None:
    app = create_app(Settings(tmp_path, tmp_path, webhook_token="token"))  # noqa: S106 - no secret
    served = {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if not path.startswith("/slack")
    }
    rows = re.findall(r"^\| (`.*?) \|", PAGES["docs/http.md"], re.MULTILINE)
    listed = {route for row in rows for route in re.findall(r"`([A-Z]+ /\S+)`", row)}

    assert listed == served


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGES[page]):
        path, _, anchor = target.partition("#")
        place = (ROOT / page).parent / path if path else ROOT / page
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_files_and_modules_in_the_docs_exist(page: str) -> None:
    for path in re.findall(r"`((?:index|qa|tests|benchmarks)/[\w/.]+)`", PAGES[page]):
        places = (ROOT / path, ROOT / f"{path}.py")
        assert any(place.exists() for place in places) or path.endswith("test_chunking.py"), path
    for module in re.findall(r"python (benchmarks/\w+\.py)|python -m ([\w.]+)", PAGES[page]):
        path = module[0] or module[1].replace(".", "/")
        assert path == "pytest" or any((ROOT / f"{path}{end}").exists() for end in ("", ".py")), (
            path
        )


def test_the_readme_and_the_glossary_stay_short() -> None:
    rows = [line for line in PAGES["docs/glossary.md"].splitlines() if line.startswith("| ")]

    assert len(PAGES["README.md"].encode()) <= 9_000
    assert len(rows) - 1 <= 30


def test_the_page_of_python_lists_the_methods_of_a_library() -> None:
    public = {name for name, _ in inspect.getmembers(Library, callable) if name[0] != "_"}

    assert public == set(re.findall(r"[`.](\w+)\(", PAGES["docs/python.md"])) & set(dir(Library))


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
    "question",
    [
        "How much will Amazon invest in Anthropic?",
        "How much stock price change was there?",
        "What is the population of Japan?",
    ],
)
def test_the_readme_shows_what_is_printed(question: str, converted: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "QUOTED_CACHE": str(converted),
        "QUOTED_DATA": str(tmp_path),
        "COLUMNS": "100",
    }
    command = [str(Path(sys.executable).with_name("qa")), "ask", question]

    printed = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    ).stdout

    assert NUMBER.sub("0.0", printed.strip()) == NUMBER.sub("0.0", _session(question).strip())
