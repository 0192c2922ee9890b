"""Command `qa config show`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from qa.interfaces.cli.options import (
    data_option,
    echo_json,
    echo_line,
    json_option,
    warn_of_unknown_variables,
)


@click.group()
def config() -> None:
    """Show the settings, and where each comes from."""


@config.command()
@json_option
@data_option
def show(*, as_json: bool, data: Path | None) -> None:
    """Show each setting in force with its origin: default, file, environment or option.

    Tokens and secrets are shown as "(set)".
    """
    from qa.settings_file import FILE_VARIABLE, find_settings_file, usual_place
    from qa.settings_origins import effective_settings

    warn_of_unknown_variables()
    found = find_settings_file(os.environ)
    settings = effective_settings(os.environ, data=data)
    if as_json:
        echo_json({"file": found and str(found), "settings": [asdict(each) for each in settings]})
        return
    looked_for = f"none: {usual_place()} is not there, and {FILE_VARIABLE} is not set"
    echo_line(f"settings file: {found or looked_for}")
    click.echo()
    widths = [max(len(each.key) for each in settings), max(len(each.value) for each in settings)]
    for each in settings:
        origin = each.origin if each.origin == "default" else f"{each.origin}: {each.place}"
        echo_line(f"{each.key:{widths[0]}}  {each.value:{min(widths[1], 40)}}  {origin}")
