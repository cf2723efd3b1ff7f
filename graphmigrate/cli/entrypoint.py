"""``entrypoint``: what a container does before its own command: wait, migrate, seed, then become that command."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from graphmigrate.cli.options import Seconds, allow_empty, command
from graphmigrate.cli.render.style import count
from graphmigrate.cli.signals import calm
from graphmigrate.errors import GraphMigrateError
from graphmigrate.settings.values import NO, YES
from graphmigrate.value import Value

if TYPE_CHECKING:
    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import MigrateResult, SeedResult, Target

SEEDS_OF_NO_PROFILE = "true"


class CommandNotFound(GraphMigrateError):
    """The command to start is not there; the exit code is the shell's custom."""

    code = "GM720"
    exit_code = 127


class CommandNotStarted(GraphMigrateError):
    """The command to start is there and cannot be run; the exit code is the shell's custom."""

    code = "GM720"
    exit_code = 126


class EntrypointReport(Value):
    """What was done before ``command`` took over; ``seed`` is null where no seeds were asked for."""

    target: Target
    migrate: MigrateResult
    seed: SeedResult | None
    command: tuple[str, ...]


@command("entrypoint", context_settings={"allow_interspersed_args": False})
@click.option(
    "--seed",
    "chosen",
    metavar="[PROFILE]",
    is_flag=False,
    flag_value=SEEDS_OF_NO_PROFILE,
    envvar="GRAPHMIGRATE_SEED",
    help="Then load the seeds of this profile; without a name those of no profile [GRAPHMIGRATE_SEED].",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=120.0,
    envvar="GRAPHMIGRATE_TIMEOUT",
    help="Wait so many seconds for the database; default: 120 [GRAPHMIGRATE_TIMEOUT].",
)
@click.option(
    "--reapply",
    is_flag=True,
    envvar="GRAPHMIGRATE_REAPPLY",
    help="Also apply again what was undone [GRAPHMIGRATE_REAPPLY].",
)
@allow_empty
@click.argument("words", metavar="[-- COMMAND [ARGUMENT]...]", nargs=-1, type=click.UNPROCESSED)
def entrypoint(
    cli: CliContext, chosen: str | None, timeout: float, reapply: bool, words: tuple[str, ...]
) -> None:
    """Wait for the database, migrate, seed, then become COMMAND.

    COMMAND takes over this process: its number, its signals and its exit code. Without one the work ends there,
    as a job's does. Where something fails, COMMAND is not started and the exit code says what it was.
    """
    if words:
        check_command(words[0])
    seeding, profile = which_seeds(chosen)
    with cli.migrator() as migrator:
        if seeding:
            migrator.check_seeds(profile=profile, rows=False, offline=True)
        cli.say(f"Waiting up to {timeout:g} s for {migrator.settings.uri} …")
        target = migrator.wait(timeout)
        migrated = migrator.migrate(reapply=reapply)
        seeded = migrator.seed(profile=profile) if seeding else None
    for each in migrated.warnings:
        cli.warn(each)
    cli.say(_outcome(migrated.version, len(migrated.applied), seeded))
    cli.result(EntrypointReport(target, migrated, seeded, words), lambda _: [])
    if words:
        become(words)


def which_seeds(chosen: str | None) -> tuple[bool, str | None]:
    """Say whether seeds are loaded, and of which profile; the words for yes and no are those of other variables."""
    name = (chosen or "").strip()
    if not name or name.lower() in NO:
        return False, None
    return True, None if name.lower() in YES else name


def check_command(name: str) -> None:
    """Refuse a command that cannot be started, before anything is changed.

    Raises CommandNotFound or CommandNotStarted.
    """
    if shutil.which(name):
        return
    if os.path.dirname(name) and os.path.exists(name):
        raise CommandNotStarted(
            f"The command {name!r} cannot be run: it is a folder."
            if os.path.isdir(name)
            else f"The command {name!r} cannot be run: it is not executable.",
            hint=f"chmod +x {name}, or name the program that runs it.",
        )
    raise CommandNotFound(
        f"There is no command {name!r}.",
        hint="Check its spelling and PATH in the image; the command stands after '--', each word on its own.",
    )


def become(words: tuple[str, ...]) -> NoReturn:
    """Replace this process by the command, which starts as if a shell had started it."""
    calm()  # an alarm would outlive the change
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them; a program started from it should not
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        os.execvp(words[0], words)  # noqa: S606 (starting this very command is the purpose)
    except OSError as error:
        raise CommandNotStarted(
            f"The command {words[0]!r} cannot be run: {error.strerror}.",
            hint="Is it a program for this machine? A script begins with a line such as #!/bin/sh.",
        ) from None


def _outcome(version: str | None, applied: int, seeded: SeedResult | None) -> str:
    parts = [f"applied {count(applied, 'migration')}" if applied else "nothing to migrate"]
    if seeded is not None:
        parts.append(f"loaded {count(len(seeded.loaded), 'seed')}" if seeded.loaded else "nothing to seed")
    return f"Ready: {', '.join(parts)}; the schema is {f'at version {version}' if version else 'empty'}."
