"""``summary``: what the graph holds, and where a person can look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import command
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.cli.render.style import Style
    from graphmigrate.cli.reports import QueryReport, SummaryReport, WhereReport
    from graphmigrate.migrator import Migrator
    from graphmigrate.settings import Settings


@command("summary")
@click.option(
    "--query", metavar="CYPHER", help="The query to show; default: 'example_query' of the configuration."
)
def summary(cli: CliContext, query: str | None) -> None:
    """Show the counts per label and relationship type, the example query's result, and where to look."""
    from graphmigrate.cli.reports import SummaryReport

    with cli.migrator() as migrator:
        counts = migrator.summary()
        cypher = query or migrator.settings.example_query
        asked = None
        if cypher:
            asked = _ask(migrator, cypher, "--query" if query else "'example_query'")
        where = _where(cli, migrator.settings, cypher)
    report = SummaryReport(counts.labels, counts.relationship_types, asked, where)
    cli.result(report, lambda style: _lines(report, style))


def _ask(migrator: Migrator, cypher: str, origin: str) -> QueryReport:
    """Run the query; where the server refuses it (GM173), say whose it is."""
    from graphmigrate.cli.reports import QueryReport

    try:
        columns, rows = migrator.query(cypher)
    except UsageError as error:
        message = error.message.replace("The query", f"The query of {origin}", 1)
        raise UsageError(message, hint=error.hint, code=error.error_code) from error
    return QueryReport(cypher.strip(), tuple(columns), tuple(tuple(row) for row in rows))


def _where(cli: CliContext, settings: Settings, cypher: str | None) -> WhereReport:
    from graphmigrate import server
    from graphmigrate.cli.reports import WhereReport

    found = server.find((cli.folder or Path()).absolute())
    if found is None or found.bolt_uri != settings.uri:
        return WhereReport(settings.uri, settings.database)
    browser = server.browser_url(found, cypher)
    return WhereReport(settings.uri, settings.database, found.http_url, browser, server.stop_command())


def _lines(report: SummaryReport, style: Style) -> list[str]:
    from graphmigrate.cli.render import text
    from graphmigrate.cli.render.style import clean
    from graphmigrate.results import GraphSummary

    lines = text.graph(GraphSummary(report.labels, report.relationship_types), style)
    if report.query:
        lines += ["", *(style.paint(clean(line), "dim") for line in report.query.cypher.splitlines())]
        lines += text.rows_of(report.query.columns, report.query.rows, style)
        if not report.query.rows:
            lines.append("(no rows)")
    where = report.where
    named = (
        ("Bolt", where.bolt),
        ("HTTP", where.http),
        ("Browser", where.browser),
        ("Stop it with", where.stop),
    )
    return lines + [""] + [f"{name + ':':<13} {clean(value)}" for name, value in named if value]
