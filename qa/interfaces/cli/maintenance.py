"""`qa doctor`, `qa backup`, `qa restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qa.interfaces.cli.options import NamedPath, data_option, echo_json, json_option, settings_of

if TYPE_CHECKING:
    from qa.doctor import Checked


@click.command()
@click.option(
    "--repair", "mend", is_flag=True, help="Mend what can be mended without losing a document."
)
@json_option
@data_option
def doctor(*, mend: bool, as_json: bool, data: Path | None) -> None:
    """Check environment, models, index and state. Exit code 0: nothing is wrong (any more); 1:
    something is.
    """
    from qa.doctor import examine, repair

    settings = settings_of(data)
    checks = list(examine(settings))
    if mend:
        repair(settings, checks)
        checks = list(examine(settings))
    if as_json:
        echo_json([_plain(each) for each in checks])
    else:
        for each in checks:
            click.echo(f"{'ok' if each.passed else 'wrong':<5}  {each.name}: {each.detail}")
            for found in each.findings:
                click.echo(
                    f"       {found.problem}: {found.remedy}{' (--repair does)' if found.repair else ''}"
                )
    sys.exit(0 if all(each.passed for each in checks) else 1)


def _plain(check: Checked) -> dict[str, Any]:
    lists: dict[str, list[str]] = {"wrong": [], "left_over": []}
    for found in check.findings:
        lists["left_over" if found.harmless else "wrong"].append(found.problem)
    return {"check": check.name, "detail": check.detail, **lists}


@click.command()
@click.argument("file", type=NamedPath(path_type=Path))
@data_option
def backup(file: Path, data: Path | None) -> None:
    """Write index, conversations, saved questions and calibration to FILE, a new one; others may
    read and write meanwhile.
    """
    from qa.state.backup import back_up

    names = back_up(settings_of(data).data, file)
    click.echo(f"Wrote {', '.join(names)} to {file}.")


@click.command()
@click.argument("file", type=NamedPath(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace what is there.")
@data_option
def restore(file: Path, *, yes: bool, data: Path | None) -> None:
    """Put back what `qa backup` wrote to FILE; a server that runs answers from it within a second."""
    from qa.interfaces.cli.documents import say_waiting
    from qa.state.backup import restore as put_back

    names = put_back(file, settings_of(data).data, yes=yes, on_wait=say_waiting)
    click.echo(f"Restored {', '.join(names)} from {file}.")
