"""``doctor``, ``explain`` and ``completion``: what helps a person along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from graphmigrate.cli.options import codes, command, suggest
from graphmigrate.cli.render import text
from graphmigrate.errors import TITLES, UsageError
from graphmigrate.value import Value

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.cli.render.style import Style

FINDINGS = 1
NOT_CONNECTED = 3
SHELLS = ("bash", "zsh", "fish")
PACKAGE = Path(__file__).parents[1]
PLACES = (PACKAGE / "error_pages", PACKAGE.parent / "docs" / "errors")  # of a wheel, of a checkout
WITHOUT_PAGE = "The message and its hint, printed where it happens, say the rest."


class CodeReport(Value):
    """An error code; ``page`` is its Markdown where it was asked for by name."""

    code: str
    title: str
    page: str | None = None


class CodesReport(Value):
    """Every error code."""

    codes: tuple[CodeReport, ...]


class CompletionReport(Value):
    """A shell's script of completion."""

    shell: str
    script: str


@command("doctor")
def doctor(cli: CliContext) -> None:
    """Check everything between here and the database, and the database: each line is ok, or says how to fix it.

    Writes nothing. Exits with 1 where there is something to fix, with 3 where the database cannot be asked. One sign-in
    is tried with Neo4j's initial password.
    """
    from graphmigrate.doctor import configuration, examine

    settings = cli.settings()
    loaded = cli.loaded
    assert loaded is not None  # noqa: S101 - 'settings' has loaded them
    checkup = examine(settings, own_server=cli.own_server(settings) is not None)
    result = checkup._replace(checks=(configuration(loaded, settings), *checkup.checks))
    cli.result(result, lambda style: text.checks(result, style))
    if not result.connected:
        raise click.exceptions.Exit(NOT_CONNECTED)
    if not result.healthy:
        raise click.exceptions.Exit(FINDINGS)


@command("explain")
@click.argument("code", required=False, metavar="[CODE]", shell_complete=codes)
def explain(cli: CliContext, code: str | None) -> None:
    """Show what an error code means and what to do.

    For example: graphmigrate explain GM602. Without a code it lists all of them. Needs no database.
    """
    if code is None:
        listed = tuple(CodeReport(each, title) for each, title in TITLES.items())
        cli.result(CodesReport(listed), lambda _: [f"{each.code}  {each.title}" for each in listed])
        return
    known = _known(code)
    page = page_of(known)
    cli.result(CodeReport(known, TITLES[known], page), lambda style: _lines(page, style))


def page_of(code: str) -> str:
    """Return the page of a code as Markdown; a code without one gets its title and where the rest stands."""
    for folder in PLACES:
        page = folder / f"{code}.md"
        if page.is_file():
            return page.read_text(encoding="utf-8")
    return f"# {code}: {TITLES[code]}\n\n{WITHOUT_PAGE}\n"


def _known(code: str) -> str:
    """Read ``GM602``, ``gm602``, ``602`` or ``error[GM602]:``; raises UsageError."""
    digits = re.search(r"\d+", code)
    wanted = f"GM{digits[0]:0>3}" if digits else code.upper()
    if wanted in TITLES:
        return wanted
    hint = " ".join(filter(None, (suggest(wanted, TITLES), "'graphmigrate explain' lists the codes.")))
    raise UsageError(f"There is no error code {code!r}.", hint=hint)


def _lines(page: str, style: Style) -> list[str]:
    """Return the page as it is written; a terminal gets its headings in bold and no fences."""
    lines = page.rstrip().splitlines()
    if style.width is None:
        return lines
    kept = [line for line in lines if not line.startswith("```")]
    return [style.paint(line.lstrip("# "), "bold") if line.startswith("#") else line for line in kept]


@command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, cli: CliContext, shell: str) -> None:
    """Print the script that lets a shell complete commands, options, versions, seeds and error codes.

    \b
    bash   echo 'eval "$(graphmigrate completion bash)"' >> ~/.bashrc      (bash 4.4 or newer)
    zsh    echo 'eval "$(graphmigrate completion zsh)"' >> ~/.zshrc        (after compinit)
    fish   graphmigrate completion fish > ~/.config/fish/completions/graphmigrate.fish
    """  # noqa: D301 - click's mark is the character, not its spelling
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows all three
    root = ctx.find_root()
    name = str(root.info_name)
    script = made(root.command, {}, name, f"_{name.upper()}_COMPLETE").source()
    cli.result(CompletionReport(shell, script), lambda _: [script.rstrip()])
