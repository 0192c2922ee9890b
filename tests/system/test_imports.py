"""Tests of the imports of the `qa` command, on which its cold start depends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import Command

pytestmark = pytest.mark.slow


def modules_after(command: Command, *arguments: str) -> set[str]:
    """Return the top-level modules that a run of `qa` has imported when it ends."""
    program = (
        "import sys\nfrom qa.interfaces.cli import main\n"
        "try:\n    main()\nexcept SystemExit as exit:\n    status = exit.code\n"
        "print('\\n' + ' '.join(name for name, module in sys.modules.items() if module), status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=command.environment,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    *names, status = done.stdout.splitlines()[-1].split()
    assert status in {"0", "None"}, done.stderr
    return {name.partition(".")[0] for name in names}


def test_help_shows_the_commands_and_imports_nothing_heavy(tmp_path: Path) -> None:
    command = Command(tmp_path, tmp_path)

    shown = command("--help").stdout
    assert "  qa index ~/notes\n  qa ask " in shown
    assert all(
        f"\n  {name} " in shown
        for name in (
            "ask",
            "calibrate",
            "eval",
            "forget",
            "index",
            "list",
            "remove",
            "search",
            "serve",
        )
    )
    assert not modules_after(command, "--help") & {
        "numpy",
        "openvino",
        "faiss",
        "fastapi",
        "tokenizers",
        "torch",
        "transformers",
    }


def test_asking_never_imports_torch(seeds_command: Command) -> None:
    imported = modules_after(seeds_command, "ask", "How much will Amazon invest in Anthropic?")

    assert {"openvino", "tokenizers", "faiss"} <= imported
    assert not imported & {
        "torch",
        "sentence_transformers",
        "transformers",
        "fastapi",
        "openvino_telemetry",
    }
