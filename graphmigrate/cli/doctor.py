"""``doctor``: the way to the database and the database itself, one line a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import command

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.cli.render.style import Style
    from graphmigrate.results import Checkup
    from graphmigrate.settings import Settings

FINDINGS = 1
NOT_CONNECTED = 3


@command("doctor")
def doctor(cli: CliContext) -> None:
    """Check everything between here and the database, and the database: each line is ok, or says how to mend it.

    Writes nothing. Exits with 1 where there is something to mend, with 3 where the database cannot be asked. One sign-in
    is tried with Neo4j's initial password.
    """
    from graphmigrate.doctor import configuration, examine
    from graphmigrate.results import Checkup

    settings = cli.settings()
    loaded = cli.loaded
    assert loaded is not None  # noqa: S101 - 'settings' has loaded them
    checkup = examine(settings, own_server=_is_own(cli, settings))
    result = Checkup(checkup.uri, (configuration(loaded, settings), *checkup.checks))
    cli.result(result, lambda style: lines(result, style))
    if not result.connected:
        raise click.exceptions.Exit(NOT_CONNECTED)
    if not result.healthy:
        raise click.exceptions.Exit(FINDINGS)


def _is_own(cli: CliContext, settings: Settings) -> bool:
    from graphmigrate import server

    found = server.find(cli.folder.absolute()) if cli.folder else None
    return found is not None and found.bolt_uri == settings.uri


def lines(checkup: Checkup, style: Style) -> list[str]:
    """Give one line a check, and one that says how to mend what was found."""
    from graphmigrate.cli.render.style import clean
    from graphmigrate.results import Health

    colors = {Health.OK: "green", Health.FINDING: "yellow", Health.FAILED: "red", Health.SKIPPED: "dim"}
    room = max(len(each.name) for each in checkup.checks)
    shown = []
    for each in checkup.checks:
        word = style.paint(f"{each.health.value:<7}", colors[each.health])
        code = f" [{each.code}]" if each.code else ""
        shown.append(f"{word}  {each.name:<{room}}  {clean(each.message)}{code}")
        if each.hint:
            shown.append(f"{' ' * (room + 11)}{style.paint('hint:', 'bold')} {clean(each.hint)}")
    return shown
