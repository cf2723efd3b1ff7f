"""``completion``: the shell's part of completion, and the words that stand in the project's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import command
from graphmigrate.errors import TITLES

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.settings import Settings

SHELLS = ("bash", "zsh", "fish")


@command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(cli: CliContext, shell: str) -> None:
    """Print the script that lets a shell complete commands, options, versions, seeds and error codes.

    \b
    bash   echo 'eval "$(graphmigrate completion bash)"' >> ~/.bashrc      (bash 4.4 or newer)
    zsh    echo 'eval "$(graphmigrate completion zsh)"' >> ~/.zshrc        (after compinit)
    fish   graphmigrate completion fish > ~/.config/fish/completions/graphmigrate.fish
    """  # noqa: D301 - click's mark is the character, not its spelling
    from click.shell_completion import get_completion_class

    from graphmigrate.cli.app import COMPLETE, NAME, root
    from graphmigrate.cli.reports import CompletionReport

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows all three
    script = made(root, {}, NAME, COMPLETE).source()
    cli.result(CompletionReport(shell, script), lambda _: [script.rstrip()])


def versions(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a version from the names of the files."""
    from graphmigrate.migrations.names import MigrationName, read_name

    names = [read_name(each.name) for each in _settings().migrations.glob("V*.cypher")]
    found = sorted(each.version for each in names if isinstance(each, MigrationName))
    capital = incomplete[:1].upper() in {"V", ""}
    return _beginning([f"V{each.text}" if capital else each.text for each in found], incomplete)


def seed_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a seed from the names of the files."""
    suffix = ".cypher.j2"
    found = sorted(_settings().seeds.glob(f"[!_.]*{suffix}"))
    return _beginning([each.name.removesuffix(suffix) for each in found], incomplete)


def codes(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete an error code."""
    return _beginning(list(TITLES), incomplete.upper())


def _settings() -> Settings:
    """Read the project's settings; where they are wrong nothing is completed from them."""
    from graphmigrate.errors import GraphMigrateError
    from graphmigrate.settings import Settings, load

    try:
        return load(connect=False).settings
    except GraphMigrateError:
        return Settings()


def _beginning(words: list[str], incomplete: str) -> list[str]:
    return [each for each in words if each.lower().startswith(incomplete.lower())]
