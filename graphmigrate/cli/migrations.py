"""``migrate``, ``plan``, ``status``, ``validate``, ``baseline``, ``repair`` and ``wait``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import (
    IN_CI,
    Seconds,
    allow,
    allow_empty,
    check_data,
    command,
    lock_timeout,
    placeholders,
    versions,
    versions_option,
)
from graphmigrate.cli.render import ci, markdown, text
from graphmigrate.cli.render.style import count, duration
from graphmigrate.errors import Problem, Severity, UsageError
from graphmigrate.results import version_name
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphmigrate.cli.context import CliContext
    from graphmigrate.results import MigrateResult, PlanResult

PENDING = 1
BAD_FILES = 2
MISMATCH = 6
_exit_code = click.option("--exit-code", is_flag=True, help="Exit with 1 where something is left to do.")
_to = click.option("--to", metavar="VERSION", shell_complete=versions, help="Stop after this version.")
_out_of_order = click.option(
    "--allow-out-of-order", is_flag=True, help="Also apply versions below the highest applied one."
)


class ValidateReport(Value):
    """Every finding; ``valid`` is false where one of them is an error."""

    valid: bool
    problems: tuple[Problem, ...]


_FEW = 10  # versions that one line can name


@command("migrate", outputs=("markdown", *IN_CI))
@_to
@click.option("--dry-run", is_flag=True, help="Show what would be done; changes nothing. The same as 'plan'.")
@lock_timeout
@_out_of_order
@check_data
@allow
@allow_empty
@placeholders
def migrate(
    cli: CliContext, to: str | None, dry_run: bool, lock_timeout: float | None, allow_out_of_order: bool
) -> None:
    """Apply every pending migration, in order of version.

    Every statement is checked by the server before the first one runs. Run it again after any failure: it
    continues where the last run stopped. Any number of runs at once is safe.
    """
    if dry_run:
        show_plan(cli, to, allow_out_of_order)
        return
    cli.check_output("migrate")
    with cli.migrator() as migrator:
        result = migrator.migrate(target=to, allow_out_of_order=allow_out_of_order, lock_timeout=lock_timeout)
    for each in result.warnings:
        cli.warn(each)
    cli.say(_outcome(result))
    cli.result(result, lambda _: [])


def _outcome(result: MigrateResult) -> str:
    at = f"at version {result.version}" if result.version else "empty"
    if result.applied:
        applying = sum(each.seconds for each in result.applied)
        rest = (
            f" ({duration(applying)} applying, {duration(result.seconds - applying)} connecting and checking)"
        )
        took = f"{duration(result.seconds)}{rest if result.seconds >= 1 else ''}"
        return f"Applied {count(len(result.applied), 'migration')} in {took}; the schema is now {at}."
    skipped = f" ({count(len(result.skipped), 'migration')} skipped)" if result.skipped else ""
    return f"Nothing to do: the schema is {at}{skipped}."


@command("plan", outputs=("markdown", *IN_CI))
@_to
@click.option(
    "--execute",
    is_flag=True,
    help="Run the data statements, roll them back, and show what they would change.",
)
@_out_of_order
@check_data
@allow
@allow_empty
@placeholders
@_exit_code
@click.option("--undo", is_flag=True, help="Show what 'undo' would do, with its --to and --steps.")
@click.option("--steps", type=int, metavar="N", help="With --undo: take back the last N; default: 1.")
def plan(
    cli: CliContext,
    to: str | None,
    allow_out_of_order: bool,
    exit_code: bool,
    undo: bool,
    steps: int | None,
    execute: bool,
) -> None:
    """Show what 'migrate' would do: statements, kinds, what is skipped, and every finding.

    Takes no lock and writes nothing. With --execute the pending data statements run in one transaction that is rolled back;
    schema statements, code, and what commits by itself are not run.
    """
    if steps is not None and not undo:
        raise UsageError("--steps belongs to --undo.", hint="graphmigrate plan --undo --steps 2")
    show_plan(cli, to, allow_out_of_order, exit_code=exit_code, undo=undo, steps=steps, execute=execute)


def show_plan(
    cli: CliContext,
    to: str | None,
    allow_out_of_order: bool,
    *,
    exit_code: bool = False,
    undo: bool = False,
    steps: int | None = None,
    execute: bool = False,
) -> None:
    """Print the plan; findings that would stop a run end the command with their exit code."""
    with cli.migrator() as migrator:
        result = migrator.plan(
            target=to, allow_out_of_order=allow_out_of_order, undo=undo, steps=steps, execute=execute
        )
    cli.say(text.target_line(result.target))
    cli.told.update(result.problems)
    files = [one.file for each in result.migrations for one in each.statements[:1]]
    cli.result(
        result,
        lambda style: text.plan(result, style),
        markdown=lambda: markdown.plan(result),
        github=lambda: ci.workflow_commands(result.problems) + ci.hazards(result),
        junit=lambda: ci.junit("graphmigrate plan", files, result.problems),
    )
    cli.say(_planned(result))
    pending = PENDING if exit_code and result.migrations else 0
    _exit(code_of(result.problems) or pending)


def _planned(result: PlanResult) -> str:
    refused = text.refusal(result.problems)
    if refused:
        return f"{refused}."
    if not result.migrations:
        return "Nothing to do."
    statements = sum(len(each.statements) for each in result.migrations)
    what = f"to {'undo' if result.undo else 'apply'}, {count(statements, 'statement')}"
    end = "everything was rolled back" if result.executed else "nothing was run"
    return f"{count(len(result.migrations), 'migration')} {what}; {end}."


@command("status", outputs=("markdown",))
@placeholders
@_exit_code
def status(cli: CliContext, exit_code: bool) -> None:
    """Show each migration's state, when and by whom it was applied, and how long it took.

    Takes no lock and writes nothing. The states: applied, pending, skipped, changed, missing, out of order,
    interrupted, failed (a part of it is committed).
    """
    with cli.migrator() as migrator:
        result = migrator.status()
    cli.say(text.target_line(result.target))
    cli.result(result, lambda style: text.status(result, style), markdown=lambda: markdown.status(result))
    for each in result.problems:  # an error would end the command, and this one ends well
        cli.warn(each._replace(severity=Severity.WARNING))
    cli.say(text.status_counts(result))
    _exit(PENDING if exit_code and not result.clean else 0)


@command("validate", outputs=IN_CI)
@click.option("--offline", is_flag=True, help="Judge the files alone, without a database.")
@allow_empty
@placeholders
def validate(cli: CliContext, offline: bool) -> None:
    """Report every problem of the files, the history and the pending statements at once.

    Takes no lock and writes nothing. Exits with 2 for bad files or statements, with 6 where history and files
    disagree.
    """
    from graphmigrate.migrations.files import collect  # completion reads no file's text

    with cli.migrator(connect=not offline) as migrator:
        problems = migrator.validate(offline=offline)
    code = code_of(problems)
    cli.told.update(problems)
    files = [each.location for each in collect(migrator.settings.migrations).files]
    cli.result(
        ValidateReport(not code, problems),
        lambda style: text.findings(problems, style),
        github=lambda: ci.workflow_commands(problems),
        junit=lambda: ci.junit("graphmigrate validate", files, problems),
    )
    cli.say(_judged(problems, len(files) if offline else None))
    _exit(code)


def _judged(problems: tuple[Problem, ...], files: int | None) -> str:
    """Say what was found, and what was not looked at; ``files`` is how many there are, where they alone were judged."""
    errors = sum(each.severity == Severity.ERROR for each in problems)
    found = f"{count(errors, 'problem')}, {count(len(problems) - errors, 'warning')}"
    if files is None:
        return f"{found}." if problems else "Everything is valid."
    well = f"{count(files, 'file')} {'is' if files == 1 else 'are'} well-formed"
    return f"{found if problems else well}; the Cypher was not checked, because no server was asked."


@command("run")
@click.argument("file", type=click.Path(path_type=Path))
@lock_timeout
@check_data
@allow
@placeholders
def run(cli: CliContext, file: Path, lock_timeout: float | None) -> None:
    """Run one FILE of Cypher now, under the lock, and leave no trace of it in the history.

    It is read and checked as a migration is: nothing runs until everything is known to be runnable. Run twice, it takes
    effect twice.
    """
    with cli.migrator() as migrator:
        result = migrator.run(file, lock_timeout=lock_timeout)
    done = f"Ran {count(result.statements, 'statement')} of {file} in {duration(result.seconds)}"
    cli.say(
        f"Nothing was run: {file} {result.skipped}." if result.skipped else f"{done}; no trace of it is kept."
    )
    cli.result(result, lambda _: [])


@command("baseline")
@click.argument("version", required=False, shell_complete=versions)
@click.option("--without-files", is_flag=True, help="Also mark VERSION where it has no file.")
@click.option(
    "--from-database", is_flag=True, help="Write the file that makes the present schema, and mark it."
)
@click.option("--as", "as_version", metavar="VERSION", help="With --from-database: its version; default: V1.")
def baseline(
    cli: CliContext, version: str | None, without_files: bool, from_database: bool, as_version: str | None
) -> None:
    """Mark every file up to VERSION as already there, without running it.

    For a database whose schema was made before this tool was used. A file that comes later, with a version below, is not
    marked: 'migrate' names it.
    """
    if (
        bool(version) == from_database
        or (from_database and without_files)
        or (as_version and not from_database)
    ):
        raise UsageError(
            "Name VERSION, or say --from-database (with --as VERSION).",
            hint="graphmigrate baseline V3 marks what has files; graphmigrate baseline --from-database writes one first.",
        )
    with cli.migrator() as migrator:
        result = migrator.baseline(
            version or as_version or "1", without_files=without_files, from_database=from_database
        )
    marked = f"Marked {count(len(result.marked), 'version')} as already there: {_named(result.marked)}."
    cli.say(marked if result.marked else "Nothing to do: every version up to there is known already.")
    if result.marked:
        first, last = result.marked[0], result.marked[-1]
        taken_back = version_name(first) if first == last else f"{version_name(first)}..{version_name(last)}"
        cli.say(f"To take that back: graphmigrate repair --forget {taken_back}")
    cli.result(result, lambda _: list(result.files))


def _named(marked: Sequence[str]) -> str:
    """Return the names of versions; of many the first and the last."""
    if len(marked) > _FEW:
        return f"{version_name(marked[0])} to {version_name(marked[-1])}"
    return ", ".join(map(version_name, marked))


@command("repair")
@placeholders
@versions_option("--accept", "Take an edited file as what was applied.")
@versions_option("--forget", "Drop a version whose file is gone, or a baseline; V1..V9 for several.")
@versions_option(
    "--restore",
    "Write a node of the history again that something else changed, as the records of runs prove it.",
    metavar="VERSION|ledger",
)
@versions_option("--rerun", "Let a statement that was interrupted run again.")
@versions_option("--done", "Take a statement that was interrupted as complete.")
def repair(
    cli: CliContext,
    accept: tuple[str, ...],
    forget: tuple[str, ...],
    restore: tuple[str, ...],
    rerun: tuple[str, ...],
    done: tuple[str, ...],
) -> None:
    """Show where history and files disagree and what resolves it.

    Changes nothing but what is named with --accept, --forget, --restore, --rerun and --done; each can be given several
    times. Look at the data before --rerun and --done: how much of the statement took effect is known to nobody else.
    """
    with cli.migrator() as migrator:
        result = migrator.repair(accept=accept, forget=forget, restore=restore, rerun=rerun, done=done)
    cli.result(result, lambda style: text.repair(result, style))
    if not result.actions:
        cli.say("Nothing to repair: history and files agree.")


@command("wait")
@click.option("--timeout", type=Seconds(), default=60.0, help="Give up after so many seconds; default: 60.")
def wait(cli: CliContext, timeout: float) -> None:
    """Wait until the database answers two queries in a row; a refused password fails at once."""
    with cli.migrator() as migrator:
        target = migrator.wait(timeout)
    cli.say(f"Ready: {text.target_line(target)}.")
    cli.result(target, lambda _: [])


def code_of(problems: Iterable[Problem]) -> int:
    """Return the exit code of these findings: history against files before bad files."""
    errors = [each for each in problems if each.severity == Severity.ERROR]
    if not errors:
        return 0
    return MISMATCH if any(each.code.startswith("GM6") for each in errors) else BAD_FILES


def _exit(code: int) -> None:
    if code:
        raise click.exceptions.Exit(code)
