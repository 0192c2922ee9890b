"""Command `qa gaps`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from qa.interfaces.cli.options import (
    bold,
    data_option,
    echo_json,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
    terminal_width,
)


@click.command()
@click.option(
    "--groups",
    type=click.IntRange(1, 100),
    default=20,
    show_default=True,
    help="Number of groups to show, those asked most first.",
)
@click.option("--days", type=click.IntRange(1), help="Only questions of the last DAYS days.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, which no spreadsheet runs.")
@json_option
@data_option
def gaps(*, groups: int, days: int | None, as_csv: bool, as_json: bool, data: Path | None) -> None:
    """Show what people asked in vain or called wrong, and what the documents hold nearest.

    Questions that are alike stand together; one of each group is asked again. They are those of
    conversations, and with QUOTED_GAPS=all also others that were refused.
    """
    from qa.bootstrap import load_pipeline, open_gap_records
    from qa.gaps.report import gap_report
    from qa.gaps.tables import csv_text
    from qa.interfaces.plaintext.gaps import gaps_text

    if as_csv and as_json:
        raise click.UsageError("expected one of --csv and --json, got both")
    settings = settings_of(data)
    records = open_gap_records(settings).newest(days=days)
    pipeline = load_pipeline(settings, encoder_of(settings), reader_of(settings))
    with closing(pipeline.snapshot):
        report = gap_report(records, pipeline, most=groups)
    if as_json:
        echo_json(report.to_dict())
    elif as_csv:
        click.echo(csv_text(report), nl=False)
    else:
        click.echo(gaps_text(report, bold, terminal_width()))
