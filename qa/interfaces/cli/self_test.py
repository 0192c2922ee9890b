"""Command `qa self-test`."""

import click


@click.command()
def self_test():
    pass
