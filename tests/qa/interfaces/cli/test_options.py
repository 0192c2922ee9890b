"""What the commands print."""

from __future__ import annotations

import json

import pytest

from qa.interfaces.cli import _fail
from qa.interfaces.cli.options import echo_json, echo_line

HOSTILE = "a\x1b[31m\x9b\x7f\u202eb\u2066.txt"


def test_json_means_the_same_and_does_nothing_to_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo_json({"uri": HOSTILE, "title": "Größe \U0001f389"})
    shown = capsys.readouterr().out

    assert json.loads(shown) == {"uri": HOSTILE, "title": "Größe \U0001f389"}
    assert not set("\x1b\x9b\x7f\u202e\u2066") & set(shown)
    assert "Größe \U0001f389" in shown


def test_lines_and_errors_do_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    echo_line(HOSTILE)
    with pytest.raises(SystemExit):
        _fail(f"{HOSTILE} is no file:\nname another")
    shown = capsys.readouterr()

    assert shown.out == "a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd.txt\n"
    assert (
        shown.err == "error: a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd.txt is no file:\nname another\n"
    )
