"""Command `qa serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    exclude_option,
    follow_links_option,
    settings_of,
    tag_option,
)

if TYPE_CHECKING:
    from qa.interfaces.logs import Format


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8321,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--watch",
    multiple=True,
    type=NamedPath(path_type=Path),
    metavar="PATH",
    help="Index this path and follow its changes, as `qa watch` does; may be repeated.",
)
@exclude_option
@tag_option
@follow_links_option
@click.option(
    "--only",
    type=click.Choice(["slack"]),
    help="Serve only the paths for Slack, whose requests are signed: for a tunnel.",
)
@click.option(
    "--open",
    "is_open",
    is_flag=True,
    help="Need no key beyond loopback: whoever reaches the port may do everything.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Believe X-Forwarded-For and -Proto from this address or network; may be repeated.",
)
@click.option(
    "--identity-header",
    metavar="NAME",
    help="Header in which trusted proxies name whom they have signed in.",
)
@click.option(
    "--root-path",
    default="",
    metavar="PATH",
    help="Path below which a proxy serves this server, like /quoted.",
)
@click.option(
    "--ray",
    "ray_address",
    metavar="ADDRESS",
    help="Serve on the nodes of this Ray cluster; needs QUOTED_STORE.",
)
@click.option(
    "--replicas",
    type=click.IntRange(1),
    help="Servers on the cluster with --ray; 1 if it is left out.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the log: one line each either way.",
)
@data_option
def serve(  # noqa: PLR0913 - as many as it has options
    host: str,
    port: int,
    *,
    watch: tuple[Path, ...],
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    follow_links: bool,
    only: str | None,
    is_open: bool,
    trusted_proxies: tuple[str, ...],
    identity_header: str | None,
    root_path: str,
    ray_address: str | None,
    replicas: int | None,
    log_format: Format,
    data: Path | None,
) -> None:
    """Serve the web page and the HTTP interface.

    On loopback anybody on this machine may do everything until `qa keys create` makes the first
    key. Beyond it, every request needs one.
    """
    from index.ingestion.watcher import WatchedPaths
    from index.tags import tags_of
    from qa.interfaces.api.root_path import checked_root_path
    from qa.interfaces.server import Binding, run

    given = {"--exclude": exclude, "--tag": tags, "--follow-links": follow_links}
    for option, value in given.items():
        if value and not watch:
            raise click.UsageError(f"{option} needs --watch")
    if replicas is not None and ray_address is None:
        raise click.UsageError("--replicas needs --ray")
    binding = Binding(host, is_open, trusted_proxies, identity_header, checked_root_path(root_path))
    if ray_address is None:
        watched = WatchedPaths(watch, exclude, tags_of(tags), follow_links)
        only_slack = only == "slack"
        run(settings_of(data), binding, port, watched, only_slack=only_slack, log_format=log_format)
        return
    if watch or only:
        raise click.UsageError("--watch and --only are for one server: leave out --ray")
    from qa.interfaces.replicas import run_replicas

    run_replicas(ray_address, replicas or 1, settings_of(data), binding, port, log_format)
