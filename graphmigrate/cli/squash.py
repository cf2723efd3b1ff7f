"""``squash``: one file in place of the oldest migrations."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate import server
from graphmigrate.cli.options import command, versions
from graphmigrate.cli.render.style import count
from graphmigrate.migrator import Migrator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphmigrate.cli.context import CliContext


@command("squash")
@click.option(
    "--to", required=True, metavar="VERSION", shell_complete=versions, help="The last one to replace."
)
@click.option("--keep-order", is_flag=True, help="Do not try whether schema statements can stand first.")
def squash(cli: CliContext, to: str, keep_order: bool) -> None:
    """Put one file in place of every migration up to a version.

    The old files move to squashed/ in the migrations folder: a database that has some of them goes on with them, one that
    has all of them has nothing to do, and a new one runs the new file. No database of yours is asked. Whether schema
    statements can stand first, which is faster, is tried on a throw-away server.
    """
    migrator = Migrator(cli.settings(connect=False))
    if keep_order:
        result = migrator.squash(to)
    else:
        with _throw_away_server(cli) as scratch:
            result = migrator.squash(to, scratch=scratch)
    for place in result.unstable:
        cli.say(f"{place}: this statement makes something else each time; what differs was not compared.")
    order = "schema statements first" if result.reordered else "in their order"
    replaced = count(len(result.replaced), "migration")
    cli.result(result, lambda _: [f"{result.path}: {replaced}, {order}; they are in squashed/ now."])


@contextmanager
def _throw_away_server(cli: CliContext) -> Iterator[Migrator]:
    with tempfile.TemporaryDirectory(prefix="graphmigrate-squash-") as name:
        folder = Path(name)
        started = server.start(folder, server.ServerOptions(port=0, ephemeral=True), cli.say)
        try:
            with Migrator(started.bolt_uri, username=started.username, password=started.password) as scratch:
                yield scratch
        finally:
            server.stop(folder)
