"""`qa eval retrieval` and `qa eval answers`."""

from __future__ import annotations

from pathlib import Path

import click

from qa.interfaces.cli.common import data_option, echo_json, encoder_of, json_option, settings_of


@click.group("eval")
def evaluate() -> None:
    """Measure on questions with known answers."""
