"""``seed``, ``seed list``, ``seed check``, ``seed show``, and ``summary``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from graphmigrate.cli.options import IN_CI, add_shared, allow, command, lock_timeout, pass_cli, seed_names
from graphmigrate.cli.render import ci, text
from graphmigrate.cli.render.style import clean, count, duration
from graphmigrate.errors import UsageError
from graphmigrate.results import GraphSummary
from graphmigrate.value import Value

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.cli.render.style import Style
    from graphmigrate.migrator import Migrator
    from graphmigrate.results import SeedInfo, SeedResult
    from graphmigrate.settings import Settings

LOAD = "load"
_set = click.option(
    "--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a seed's variable."
)


class SeedListReport(Value):
    """The seeds of the folder."""

    seeds: tuple[SeedInfo, ...]


class QueryReport(Value):
    """A query with its columns and rows."""

    cypher: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class WhereReport(Value):
    """Where to look: ``http``, ``browser``, ``stop`` and ``password_file`` are known for the project's own local server only."""

    bolt: str
    database: str | None
    http: str | None = None
    browser: str | None = None
    stop: str | None = None
    username: str | None = None
    password_file: str | None = None


class SummaryReport(Value):
    """Counts of the graph, the example query's result, and where to look."""

    labels: dict[str, int]
    relationship_types: dict[str, int]
    query: QueryReport | None
    where: WhereReport


class SeedGroup(click.Group):
    """``seed NAME …`` is ``seed load NAME …``: what is not the name of another command is loaded."""

    def resolve_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (click calls it)
        args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, else ``load``."""
        name = args[0] if args[0] in self.commands else LOAD
        return name, self.commands[name], args[1:] if name == args[0] else args

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, seeds, and the options of ``load``."""
        names = () if incomplete.startswith("-") else seed_names(ctx, None, incomplete)
        return [
            *super().shell_complete(ctx, incomplete),
            *(CompletionItem(each) for each in names),
            *self.commands[LOAD].shell_complete(ctx, incomplete),
        ]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of ``load``, then the commands."""
        self.commands[LOAD].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    "seed",
    cls=SeedGroup,
    invoke_without_command=True,
    subcommand_metavar="[NAME]... | COMMAND [ARGS]...",
    context_settings={"ignore_unknown_options": True},
)
@click.pass_context
def seed(ctx: click.Context) -> None:
    """Load the named seeds, or all that name no profile, with what they depend on; what is loaded and unchanged is skipped.

    'graphmigrate seed list' shows the seeds ('seed load list' loads one of that name).
    """
    ctx.obj.cli.check_output("seed", *(IN_CI if ctx.invoked_subcommand == "check" else ()))
    if ctx.invoked_subcommand is None:
        ctx.invoke(load)


@seed.command(LOAD)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=seed_names)
@click.option("--profile", metavar="PROFILE", help="Load the seeds of this profile.")
@_set
@click.option("--force", is_flag=True, help="Load what is chosen again though it is unchanged.")
@click.option("--allow-duplicates", is_flag=True, help="Load again also those of them that use CREATE.")
@click.option("--reset", is_flag=True, help="First remove what the chosen seeds had made.")
@allow
@click.option("--strict", is_flag=True, help="Fail at a row that matches nothing, or repeats a key.")
@click.option("--yes", is_flag=True, help="With --profile, load into a target that is marked protected.")
@lock_timeout
@pass_cli
def load(cli: CliContext, /, names: tuple[str, ...], assignments: tuple[str, ...], **choices: Any) -> None:
    """Load seeds; the word 'load' may be left out."""
    from graphmigrate.settings.values import SECRET_NAME  # completion needs no settings

    variables = _variables(assignments)
    cli.secrets += [value for name, value in variables.items() if SECRET_NAME.search(name)]
    with cli.migrator() as migrator:
        result = migrator.seed(names, variables=variables, **choices)
    cli.say(_outcome(result))
    cli.result(result, lambda style: text.graph(result.totals, style) if result.totals else [])


def _variables(assignments: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for each in assignments:
        name, separator, value = each.partition("=")
        if not separator or not name.strip():
            raise UsageError(f"--set {each!r} is not NAME=VALUE.", hint="For example: --set scale=10")
        variables[name.strip()] = value
    return variables


def _outcome(result: SeedResult) -> str:
    if not result.loaded:
        return f"Nothing to do: {count(len(result.skipped), 'seed')} skipped."
    changes: dict[str, int] = {}
    for each in result.loaded:
        for name, number in each.changes.items():
            changes[name] = changes.get(name, 0) + number
    said = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in changes.items() if number)
    loaded = f"Loaded {count(len(result.loaded), 'seed')} in {duration(result.seconds)}"
    return "\n".join([f"{loaded}: {said}." if said else f"{loaded}.", *_unmatched(result)])


def _unmatched(result: SeedResult) -> list[str]:
    lines = []
    for each in result.loaded:
        them = "it" if each.unmatched == 1 else "them"
        told = {
            f"made no change, or not all of it: MATCH found nothing for {them}.": (
                each.unmatched,
                each.unmatched_rows,
            ),
            "changed again what an earlier row with the same key changed.": (
                each.repeated,
                each.repeated_rows,
            ),
        }
        for said, (number, examples) in told.items():
            if number:
                lines.append(f"{each.name}: {count(number, 'row')} {said}")
                lines += [f"  {clean(row)}" for row in examples]
                lines += ["  …"] if number > len(examples) else []
    return lines


@seed.command("list")
@click.option("--offline", is_flag=True, help="Read the folder alone; do not ask a database what is loaded.")
@pass_cli
def list_(cli: CliContext, offline: bool) -> None:
    """Show the seeds with their profiles, dependencies and variables, and whether they are loaded."""
    with cli.migrator(connect=False if offline else None) as migrator:
        asked = bool(migrator.settings.uri) and not offline
        seeds = migrator.seeds(offline=not asked)
    cli.result(SeedListReport(seeds), lambda style: text.seed_list(seeds, style))
    cli.say(_hint(seeds, asked))


@seed.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=seed_names)
@click.option("--profile", metavar="PROFILE", help="Check the seeds of this profile.")
@_set
@click.option("--rows/--no-rows", default=True, help="Read every row of every source; the default.")
@click.option("--offline", is_flag=True, help="Ask no database: the Cypher itself is then not checked.")
@pass_cli
def check(
    cli: CliContext, names: tuple[str, ...], assignments: tuple[str, ...], offline: bool, **choices: Any
) -> None:
    """Render the named seeds, or all that name no profile, read their rows, and let the server check every statement.

    Nothing is loaded.
    """
    variables = _variables(assignments)
    with cli.migrator(connect=not offline) as migrator:
        result = migrator.check_seeds(names, variables=variables, offline=offline, **choices)
    told = sorted(cli.told, key=str)
    files = [str(migrator.settings.seeds / f"{each.name}.cypher.j2") for each in result.seeds]
    cli.result(
        result,
        lambda style: text.seed_checks(result, style),
        github=lambda: ci.workflow_commands(told),
        junit=lambda: ci.junit("graphmigrate seed check", files, told),
    )
    unasked = "; the Cypher was not checked, because no server was asked" if offline else ""
    cli.say(f"{count(len(result.seeds), 'seed')} checked, nothing was loaded{unasked}.")


@seed.command("show")
@click.argument("name", metavar="NAME", shell_complete=seed_names)
@_set
@click.option(
    "--rows", type=click.IntRange(0, 10_000), default=5, show_default=True, help="Rows of each block."
)
@pass_cli
def show(cli: CliContext, name: str, assignments: tuple[str, ...], rows: int) -> None:
    """Print the Cypher that a seed sends, with its parameters and first rows; nothing is loaded.

    Values that come from the environment are shown as ***, also in names, in other case and as numbers; what
    a template makes of them in other ways is shown.
    """
    variables = _variables(assignments)
    with cli.migrator(connect=None) as migrator:
        result = migrator.show_seed(name, variables=variables, rows=rows)
    cli.result(result, lambda style: text.seed_text(result, style))


def _hint(seeds: tuple[SeedInfo, ...], asked: bool) -> str:
    if not seeds:
        return "There are no seeds."
    lines = [] if asked else ["No database was asked which of them are loaded."]
    taken = [each.name for each in seeds if each.name in seed.commands]
    lines += [f"The seed {name!r} is loaded by: graphmigrate seed load {name}" for name in taken]
    return "\n".join(lines) or "Load them with: graphmigrate seed"


@command("summary")
@click.option(
    "--query", metavar="CYPHER", help="The query to show; default: 'example_query' of the configuration."
)
def summary(cli: CliContext, query: str | None) -> None:
    """Show the counts per label and relationship type, the example query's result, and where to look."""
    with cli.migrator() as migrator:
        counts = migrator.summary()
        cypher = query or migrator.settings.example_query
        asked = None
        if cypher:
            asked = _ask(migrator, cypher, "--query" if query else "'example_query'")
        where = _where(cli, migrator.settings, cypher)
    report = SummaryReport(counts.labels, counts.relationship_types, asked, where)
    cli.result(report, lambda style: summary_lines(report, style))


def _ask(migrator: Migrator, cypher: str, origin: str) -> QueryReport:
    """Run the query; where the server refuses it (GM173), say which query it is."""
    try:
        columns, rows = migrator.query(cypher)
    except UsageError as error:
        message = error.message.replace("The query", f"The query of {origin}", 1)
        raise UsageError(message, hint=error.hint, code=error.error_code) from error
    return QueryReport(cypher.strip(), tuple(columns), tuple(tuple(row) for row in rows))


def _where(cli: CliContext, settings: Settings, cypher: str | None) -> WhereReport:
    from graphmigrate.server import browser_url, stop_command

    found = cli.own_server(settings)
    if found is None:
        return WhereReport(settings.uri, settings.database, username=settings.username)
    return WhereReport(
        settings.uri,
        settings.database,
        found.http_url,
        browser_url(found, cypher),
        stop_command(),
        found.username,
        str(found.password_file) if found.password_file else None,
    )


def summary_lines(report: SummaryReport, style: Style) -> list[str]:
    """Return the counts, the query's result, and where to look."""
    lines = text.graph(GraphSummary(report.labels, report.relationship_types), style)
    if report.query:
        lines += ["", *(style.paint(clean(line), "dim") for line in report.query.cypher.splitlines())]
        lines += text.rows_of(report.query.columns, report.query.rows, style)
        if not report.query.rows:
            lines.append("(no rows)")
    where = report.where
    password = f", password in {where.password_file}" if where.password_file else ""
    named = {
        "Bolt": where.bolt,
        "HTTP": where.http,
        "Browser": where.browser,
        "User": where.username and f"{where.username}{password}",
        "Stop it with": where.stop,
    }
    return [*lines, "", *(f"{name + ':':<13} {clean(value)}" for name, value in named.items() if value)]


add_shared(seed)
