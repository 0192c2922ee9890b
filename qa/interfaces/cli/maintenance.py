"""Commands `qa doctor`, `qa backup` and `qa restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    echo_json,
    echo_line,
    json_option,
    settings_of,
)

if TYPE_CHECKING:
    from qa.doctor import CheckResult


@click.command()
@click.option(
    "--repair",
    "repair_first",
    is_flag=True,
    help="Repair what can be repaired without losing a document.",
)
@json_option
@data_option
def doctor(*, repair_first: bool, as_json: bool, data: Path | None) -> None:
    """Check environment, models, index and state.

    Exit codes: 0 nothing is wrong, or all of it was repaired; 1 something is wrong.
    """
    from qa.doctor import examine, repair

    settings = settings_of(data)
    checks = list(examine(settings))
    if repair_first:
        repair(settings, checks)
        # Checked anew, since a repair may fail or uncover something else.
        checks = list(examine(settings))
    if as_json:
        echo_json([_check_to_dict(check) for check in checks])
    else:
        for check in checks:
            _echo_check(check)
    sys.exit(0 if all(check.passed for check in checks) else 1)


def _echo_check(check: CheckResult) -> None:
    """Print a check and, indented below it, its findings."""
    echo_line(f"{'ok' if check.passed else 'wrong':<5}  {check.name}: {check.detail}")
    for finding in check.findings:
        hint = " (--repair does)" if finding.repair else ""
        echo_line(f"       {finding.problem}: {finding.remedy}{hint}")


def _check_to_dict(check: CheckResult) -> dict[str, Any]:
    return {
        "check": check.name,
        "detail": check.detail,
        "wrong": [finding.problem for finding in check.findings if not finding.harmless],
        "left_over": [finding.problem for finding in check.findings if finding.harmless],
    }


@click.command()
@click.argument("file", type=NamedPath(path_type=Path))
@data_option
def backup(file: Path, data: Path | None) -> None:
    """Write everything in the data directory to FILE.

    The backup holds index, conversations, saved questions and calibration. FILE must not exist yet.
    Other processes may go on reading and writing meanwhile.
    """
    from qa.library.stores import refuse_shared
    from qa.state.backup import back_up

    settings = settings_of(data)
    refuse_shared(settings, "A backup", "copy the folder or the bucket with its own tools")
    names = back_up(settings.data, file)
    echo_line(f"Wrote {', '.join(names)} to {file}.")


@click.command()
@click.argument("file", type=NamedPath(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace what is in the data directory.")
@data_option
def restore(file: Path, *, yes: bool, data: Path | None) -> None:
    """Restore the data directory from FILE, a backup of `qa backup`.

    A running server answers from the restored index within a second.
    """
    from qa.access.audit_log import log_command
    from qa.interfaces.cli.documents import echo_waiting
    from qa.library.stores import refuse_shared
    from qa.state import backup as backups

    settings = settings_of(data)
    refuse_shared(settings, "Restoring", "put the folder or the bucket back with its own tools")
    folder = settings.data
    names = backups.restore(file, folder, yes=yes, on_wait=echo_waiting)
    log_command(settings, "restore", str(file))
    echo_line(f"Restored {', '.join(names)} from {file}.")
