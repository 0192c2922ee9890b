"""Commands `qa keys create`, `list` and `revoke`, and `qa audit`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import data_option, echo_json, echo_line, json_option, settings_of

if TYPE_CHECKING:
    from qa.access.key_store import Key
    from qa.access.principal import Role


@click.group()
def keys() -> None:
    """Make, list and revoke the keys that requests to `qa serve` need."""


class _Expiry(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    """A day like 2027-01-31, whose end is meant, or a number of days like 90d."""

    name = "when"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time; fail if it is none."""
        if value.endswith("d") and value[:-1].isdecimal() and len(value) < 7:
            return datetime.now(UTC) + timedelta(days=int(value[:-1]))
        try:
            day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"expected a day like 2027-01-31 or days like 90d, got {value!r}", param, ctx)
        return day + timedelta(days=1)


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    required=True,
    type=click.Choice(("reader", "writer", "monitor", "admin")),
    help="reader: ask and read; writer: upload, replace, tag and delete, too; monitor: read "
    "/metrics alone; admin: everything.",
)
@click.option(
    "--tags",
    multiple=True,
    metavar="TAG",
    help="Only documents with this tag, or any of several (commas, or repeated).",
)
@click.option("--expires", type=_Expiry(), help="Last day (2027-01-31), or days from now (90d).")
@click.option(
    "--rate",
    type=click.IntRange(1, 100_000),
    default=60,
    show_default=True,
    help="Questions a minute.",
)
@click.option(
    "--person",
    "is_person",
    is_flag=True,
    help="NAME is what --identity-header of `qa serve` will say; no key is made.",
)
@data_option
def create(
    name: str,
    *,
    role: Role,
    tags: tuple[str, ...],
    expires: datetime | None,
    rate: int,
    is_person: bool,
    data: Path | None,
) -> None:
    """Create a key for NAME and print it once: it is stored nowhere.

    From the first key on, every request to the server needs one.
    """
    from qa.access.audit_log import log_command
    from qa.access.key_store import open_key_store

    settings = settings_of(data)
    wanted = [tag for each in tags for tag in each.split(",") if tag.strip()]
    settings.data.mkdir(parents=True, exist_ok=True)
    with closing(open_key_store(settings)) as store:
        key, text = store.create(
            name,
            role,
            wanted,
            expires_at=expires,
            is_person=is_person,
            rate=rate,
        )
    log_command(settings, "create key", f"{key.name} {key.id} {key.role}")
    echo_line(f"{key.role} {key.name} ({key.id}): {_reach(key)}.", err=True)
    if text:
        click.echo("Keep this key; it cannot be shown again:", err=True)
        click.echo(text)


@keys.command("list")
@json_option
@data_option
def list_keys(*, as_json: bool, data: Path | None) -> None:
    """List the keys, without their secrets."""
    from qa.access.key_store import has_key_store, open_key_store

    settings = settings_of(data)
    found: list[Key] = []
    if has_key_store(settings):
        with closing(open_key_store(settings)) as store:
            found = store.listed()
    if as_json:
        echo_json([asdict(key) for key in found])
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for key in found:
        echo_line(f"{key.id}  {key.role:<6}  {_state(key, now):<22}  {key.name}: {_reach(key)}")
    if not found:
        click.echo("There are no keys: whoever reaches the server may do everything.", err=True)


@keys.command()
@click.argument("name")
@data_option
def revoke(name: str, data: Path | None) -> None:
    """Revoke the key of NAME, or with this id, at once."""
    from qa.access.audit_log import log_command
    from qa.access.key_store import has_key_store, open_key_store
    from qa.errors import AccessError

    settings = settings_of(data)
    if not has_key_store(settings):
        raise AccessError(f"there is no key {name!r} to revoke: there are no keys")
    with closing(open_key_store(settings)) as store:
        key = store.revoke(name)
    log_command(settings, "revoke key", f"{key.name} {key.id}")
    echo_line(f"Revoked the key of {key.name} ({key.id}).")


@click.command()
@click.option(
    "--last",
    default=50,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Number of entries.",
)
@json_option
@data_option
def audit(*, last: int, as_json: bool, data: Path | None) -> None:
    """Show who changed what, the oldest first; logged from the first key on."""
    from qa.access.audit_log import entries

    found = entries(settings_of(data), last)
    if as_json:
        echo_json([asdict(entry) for entry in found])
        return
    for entry in found:
        echo_line(f"{entry.at}  {entry.who}  {entry.action} {entry.target}  {entry.outcome}")


def _reach(key: Key) -> str:
    """Return which documents a key reaches, in words."""
    reach = f"documents tagged {', '.join(key.tags)}" if key.tags else "all documents"
    until = f" until {key.expires_at}" if key.expires_at else ""
    person = ", signed in by the proxy" if key.is_person else ""
    return f"{reach}{until}{person}"


def _state(key: Key, now: str) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at[:10]}"
    return "valid" if key.is_valid(now) else "expired"
