"""``seed``, ``seed list``, ``seed check`` and ``seed show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphmigrate.cli.completion import seed_names
from graphmigrate.cli.options import Seconds, add_shared
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import SeedInfo, SeedResult

LOAD = "load"


class SeedGroup(click.Group):
    """``seed NAME …`` loads; ``seed list`` is a command. ``seed -- list`` loads a seed of that name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the hidden loading command in front, unless the first word names another one."""
        if ctx.resilient_parsing or self._first_word(args) not in set(self.commands) - {LOAD}:
            args = [LOAD, *args]
        return super().parse_args(ctx, args)

    def _first_word(self, args: list[str]) -> str | None:
        parameters = [*self.params, *self.commands[LOAD].params]
        valued = {name for each in parameters if not getattr(each, "is_flag", True) for name in each.opts}
        skip = False
        for word in args:
            if skip:
                skip = False
            elif word == "--":
                return None
            elif not word.startswith("-"):
                return word
            else:
                skip = word in valued
        return None


class LoadCommand(click.Command):
    """Shows itself as plain ``seed``."""

    def get_help(self, ctx: click.Context) -> str:
        """Give the help without this command's hidden name."""
        return super().get_help(ctx).replace(f"seed {LOAD}", "seed")

    def get_usage(self, ctx: click.Context) -> str:
        """Give the usage without this command's hidden name."""
        return super().get_usage(ctx).replace(f"seed {LOAD}", "seed")


@click.group("seed", cls=SeedGroup)
def seed() -> None:
    """Load seeds."""


@seed.command(LOAD, cls=LoadCommand, hidden=True, options_metavar="[OPTIONS]")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=seed_names)
@click.option("--profile", metavar="PROFILE", help="Load the seeds of this profile.")
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a seed's variable.")
@click.option("--force", is_flag=True, help="Load what is chosen again though it is unchanged.")
@click.option("--allow-duplicates", is_flag=True, help="Load again also those of them that use CREATE.")
@click.option("--reset", is_flag=True, help="First remove what the chosen seeds had made.")
@click.option("--yes", is_flag=True, help="With --profile, load into a target that is marked protected.")
@click.option("--lock-timeout", type=Seconds(), help="Wait so long for another run to end; default: 600.")
@click.pass_obj
def load(
    cli: CliContext,
    names: tuple[str, ...],
    profile: str | None,
    assignments: tuple[str, ...],
    force: bool,
    allow_duplicates: bool,
    reset: bool,
    yes: bool,
    lock_timeout: float | None,
) -> None:
    """Load the named seeds, or all that name no profile, with what they depend on; what is loaded and unchanged is skipped.

    'graphmigrate seed list' shows the seeds ('seed -- list' loads one of that name).
    """
    from graphmigrate.seeds.variables import SECRET_NAME

    variables = _variables(assignments)
    cli.secrets += [value for name, value in variables.items() if SECRET_NAME.search(name)]
    with cli.migrator() as migrator:
        result = migrator.seed(
            names,
            profile=profile,
            variables=variables,
            force=force,
            allow_duplicates=allow_duplicates,
            reset=reset,
            yes=yes,
            lock_timeout=lock_timeout,
        )
    from graphmigrate.cli.render import text

    cli.say(_outcome(result))
    cli.result(result, lambda style: text.graph(result.totals, style) if result.totals else [])


def _variables(assignments: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for each in assignments:
        name, separator, value = each.partition("=")
        if not separator or not name.strip():
            raise UsageError(
                f"--set {each!r} is not NAME=VALUE.", hint="For example: --set scale=10", code="GM150"
            )
        variables[name.strip()] = value
    return variables


def _outcome(result: SeedResult) -> str:
    from graphmigrate.cli.render.text import count, duration

    if not result.loaded:
        return f"Nothing to do: {count(len(result.skipped), 'seed')} skipped."
    changes: dict[str, int] = {}
    for each in result.loaded:
        for name, number in each.changes.items():
            changes[name] = changes.get(name, 0) + number
    said = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in changes.items() if number)
    text = f"Loaded {count(len(result.loaded), 'seed')} in {duration(result.seconds)}"
    text = f"{text}: {said}." if said else f"{text}."
    return "\n".join([text, *_unmatched(result)])


def _unmatched(result: SeedResult) -> list[str]:
    from graphmigrate.cli.render.text import count

    return [
        f"{each.name}: {count(each.unmatched, 'row')} made no change, or not all of it: MATCH found nothing for"
        f" {'it' if each.unmatched == 1 else 'them'}."
        for each in result.loaded
        if each.unmatched
    ]


@seed.command("list")
@click.option("--offline", is_flag=True, help="Read the folder alone; do not ask a database what is loaded.")
@click.pass_obj
def list_(cli: CliContext, offline: bool) -> None:
    """Show the seeds with their profiles, dependencies and variables, and whether they are loaded."""
    from graphmigrate.cli.render import text
    from graphmigrate.cli.reports import SeedListReport

    with cli.migrator(connect=False if offline else None) as migrator:
        asked = bool(migrator.settings.uri) and not offline
        seeds = migrator.seeds(offline=not asked)
    cli.result(SeedListReport(seeds), lambda style: text.seed_list(seeds, style))
    cli.say(_hint(seeds, asked))


@seed.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=seed_names)
@click.option("--profile", metavar="PROFILE", help="Check the seeds of this profile.")
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a seed's variable.")
@click.option("--rows", is_flag=True, help="Read every row of every source, too.")
@click.pass_obj
def check(
    cli: CliContext, names: tuple[str, ...], profile: str | None, assignments: tuple[str, ...], rows: bool
) -> None:
    """Render the named seeds, or all that name no profile, and let the server check every statement; nothing is loaded."""
    from graphmigrate.cli.render import seeds
    from graphmigrate.cli.render.text import count

    variables = _variables(assignments)
    with cli.migrator() as migrator:
        result = migrator.explain_seeds(names, profile=profile, variables=variables, rows=rows)
    cli.result(result, lambda style: seeds.checked(result, style))
    cli.say(f"{count(len(result.seeds), 'seed')} checked; nothing was loaded.")


@seed.command("show")
@click.argument("name", metavar="NAME", shell_complete=seed_names)
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Set a seed's variable.")
@click.option(
    "--rows", type=click.IntRange(0, 10_000), default=5, show_default=True, help="Rows of each block."
)
@click.pass_obj
def show(cli: CliContext, name: str, assignments: tuple[str, ...], rows: int) -> None:
    """Print the Cypher that a seed sends, with its parameters and first rows; nothing is loaded.

    Values that come from the environment are shown as ***, also in names, in other case and as numbers; what
    a template makes of them in other ways is shown.
    """
    from graphmigrate.cli.render import seeds

    variables = _variables(assignments)
    with cli.migrator(connect=None) as migrator:
        result = migrator.show_seed(name, variables=variables, rows=rows)
    cli.result(result, lambda style: seeds.shown(result, style))


def _hint(seeds: tuple[SeedInfo, ...], asked: bool) -> str:
    if not seeds:
        return "There are no seeds."
    lines = [] if asked else ["No database was asked which of them are loaded."]
    taken = [each.name for each in seeds if each.name in seed.commands]
    lines += [f"The seed {name!r} is loaded by: graphmigrate seed -- {name}" for name in taken]
    return "\n".join(lines) or "Load them with: graphmigrate seed"


add_shared(seed)
