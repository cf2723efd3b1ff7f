"""``init`` and ``new``: they write files; ``new`` asks the database which versions it knows, where there is one."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphmigrate.cli.options import command
from graphmigrate.database.version import Version
from graphmigrate.errors import GraphMigrateError, ProjectError, Severity, UsageError, raise_all
from graphmigrate.migrations import sums
from graphmigrate.migrations.files import collect
from graphmigrate.migrator import Migrator
from graphmigrate.settings.files import PYPROJECT, has_table
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphmigrate.cli.context import CliContext
    from graphmigrate.migrations.model import MigrationFolder
    from graphmigrate.settings import Settings

SCAFFOLD = Path(__file__).parent.parent / "scaffold"
# Where each template goes; a folder that already holds something gets no samples.
FILES = {
    "graphmigrate.toml": "graphmigrate.toml",
    "gitignore": ".gitignore",
    "V1__create_person_constraint.cypher": "migrations/V1__create_person_constraint.cypher",
    "V2__create_person_index.cypher": "migrations/V2__create_person_index.cypher",
    "people.cypher.j2": "seeds/people.cypher.j2",
    "people.csv": "seeds/data/people.csv",
}
AGENTS = "AGENTS.md"
STAGE = ".graphmigrate-init"  # where init writes; a kill leaves it behind, and the next init removes it
LONGEST = 150
# The date forms that teams use as versions, longest first: 20260131120000, 202601311200, 20260131.
STAMPS = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}


class NewReport(Value):
    """The file that ``new`` made, and the one that takes it back."""

    version: str
    file: str
    undo: str | None = None


class InitReport(Value):
    """What ``init`` wrote, and what was there and stays as it is."""

    folder: str
    created: tuple[str, ...]
    kept: tuple[str, ...]


@command("new")
@click.argument("description", nargs=-1, metavar="DESCRIPTION")
@click.option("--timestamp", is_flag=True, help="Take the time now (UTC) as version: branches do not meet.")
@click.option(
    "--sum",
    "only_sum",
    is_flag=True,
    help=f"Write no migration, but {sums.NAME}, from the files as they are.",
)
@click.option("--with-undo", is_flag=True, help="Also begin the file that takes back what it writes.")
def new(
    cli: CliContext, description: tuple[str, ...], timestamp: bool, only_sum: bool, with_undo: bool
) -> None:
    """Write the next migration as a commented template and print its path.

    Its version is the next after those of the files and of the database's history, where one is named. Where the folder
    has a graphmigrate.sum, the file is added to it; write it anew with --sum once the file is complete.

    For example: graphmigrate new add users
    """
    if only_sum and not description and not timestamp:
        settings = cli.settings(connect=False)
        path = _write_sum(collect(settings.migrations))
        cli.result(NewReport("", str(path)), lambda _: [str(path)])
        return
    words = _words(" ".join(description))
    settings = cli.settings(connect=None)
    folder = _collected(settings.migrations)
    for each in folder.problems:
        cli.warn(each)
    known = [each.version for each in folder.files if not each.version.is_named]
    now = datetime.now(UTC)
    version = f"{now:{STAMPS[14]}}" if timestamp else next_version([*known, *_in_history(cli, settings)], now)
    path = folder.path / f"V{version}__{words}.cypher"
    back = folder.path / f"U{version}__{words}.cypher" if with_undo else None
    for template, file in (("migration", path), ("undo", back)):
        if file:
            text = (SCAFFOLD / f"{template}.cypher").read_text(encoding="utf-8")
            _write(file, text.replace("DESCRIPTION", words.replace("_", " ")))
    _keep_sum(folder.path)
    report = NewReport(version, str(path), str(back) if back else None)
    cli.result(report, lambda _: [report.file, *([report.undo] if report.undo else [])])


def _collected(path: Path) -> MigrationFolder:
    """Collect the folder; raises ProjectError where graphmigrate.sum does not fit: a new file must not hide that."""
    folder = collect(path)
    wrong = [each for each in folder.problems if each.code == "GM114"]
    raise_all(wrong, ProjectError, "{count} findings; nothing was written.")
    return folder


def _keep_sum(path: Path) -> None:
    if (path / sums.NAME).exists():
        _write_sum(collect(path))


def _write_sum(folder: MigrationFolder) -> Path:
    """Write graphmigrate.sum; raises ProjectError where something else is wrong with the folder."""
    errors = [each for each in folder.problems if each.severity is Severity.ERROR and each.code != "GM114"]
    raise_all(errors, ProjectError, "The migrations folder has {count} problems; nothing was written.")
    try:
        return sums.write(folder)
    except OSError as error:
        raise _unwritable(folder.path / sums.NAME, error) from None


def _in_history(cli: CliContext, settings: Settings) -> list[Version]:
    """Return the versions that the database knows; where it was not asked, say so."""
    if not settings.uri:
        cli.say("No database was named: the version follows the files alone.")
        return []
    try:
        with Migrator(settings) as migrator:
            return [
                version
                for row in migrator.status().rows
                if not (version := Version.parse(row.version)).is_named
            ]
    except GraphMigrateError as error:
        cli.say(f"The history was not read, so the version follows the files alone: {error.message}")
        return []


def _words(description: str) -> str:
    """Make the part of the file's name that people read; raises UsageError (GM150)."""
    if re.match(r"\s*[VvRU][\d._]*__|.*\.(cypher|cql)\s*$", description):
        raise UsageError(
            f"{description!r} is a file name; give the description alone.",
            hint="For example: graphmigrate new add users",
        )
    words = "_".join(re.findall(r"[\w-]+", description)).strip("_-")
    words = re.sub(r"_{2,}", "_", words)
    if not words:
        hint = "For example: graphmigrate new add users"
        raise UsageError(f"DESCRIPTION {description!r} has no letter or digit.", hint=hint)
    if len(words.encode()) > LONGEST:
        raise UsageError("The description is too long for a file name.", hint="Use a few words.")
    return words


def next_version(versions: Sequence[Version], now: datetime) -> str:
    """Return the version after the highest one, written as that one is.

    ``7``, ``007``, ``1.3``, or a time stamp.
    """
    if not versions:
        return "1"
    highest = max(versions)
    stamp = _stamp(highest, now)
    if stamp:
        return stamp
    before, separator, last = re.fullmatch(r"(?:(.*)([._]))?(\d+)", highest.text).groups()  # type: ignore[union-attr]
    following = f"{before or ''}{separator or ''}{int(last) + 1:0{len(last)}d}"
    return (
        following if Version.written(following) > highest else f"{highest.text}.1"
    )  # as text, 10 comes before 9


def _stamp(highest: Version, now: datetime) -> str | None:
    """Return the time now in the form of the highest version, if that is a time in the past."""
    digits = re.sub(r"[._]", "", highest.text)
    form = STAMPS.get(len(digits))
    try:
        then = datetime.strptime(digits, form).replace(tzinfo=UTC) if form else None
    except ValueError:
        return None
    if form is None or then is None or not 1990 <= then.year <= now.year + 1:
        return None
    stamp = iter(now.strftime(form))
    text = "".join(each if each in "._" else next(stamp) for each in highest.text)
    return text if now.strftime(form) > digits else None


class ImportReport(Value):
    """What ``import`` wrote, the name of the seed, and how many rows it will load."""

    seed: str
    rows: int
    created: tuple[str, ...]


@command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--label", required=True, metavar="LABEL", help="The label of the nodes.")
@click.option("--key", required=True, metavar="COLUMN", help="The column that identifies a row.")
@click.option("--types", is_flag=True, help="Read columns of numbers, booleans and dates as such.")
def import_file(cli: CliContext, file: Path, label: str, key: str, types: bool) -> None:
    """Copy a CSV file into the project, with a seed that loads it and a migration for its key.

    For example: graphmigrate import people.csv --label Person --key id --types
    """
    from graphmigrate.seeds import importing

    settings = cli.settings(connect=False)
    folder = settings.migrations
    files = _collected(folder).files if folder.is_dir() else ()
    version = next_version([each.version for each in files if not each.version.is_named], datetime.now(UTC))
    migration = folder / f"V{version}__{_words(f'{label} {key} unique').lower()}.cypher"
    existing = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.cypher"))]
    plan = importing.plan(
        file, label, key, types=types, seeds=settings.seeds, migration=migration, existing=existing
    )
    report = ImportReport(plan.seed, plan.rows, tuple(str(path) for path in plan.write()))
    _keep_sum(folder)
    load = f"Load it with: graphmigrate migrate && graphmigrate seed {plan.seed}"
    cli.result(report, lambda _: [*report.created, load])


@command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--agents", is_flag=True, help="Also write AGENTS.md: commands, rules of files, exit codes.")
def init(cli: CliContext, folder: Path, agents: bool) -> None:
    """Turn a folder (default: this one) into a project whose 'migrate' and 'seed' work at once.

    No existing file is changed.
    """
    wanted = {**FILES, **({AGENTS: AGENTS} if agents else {})}
    kept = []
    if has_table(folder / PYPROJECT):
        wanted.pop("graphmigrate.toml")
        kept.append(PYPROJECT)
    for name in ("migrations", "seeds"):
        if _occupied(folder / name):
            wanted = {key: place for key, place in wanted.items() if not place.startswith(f"{name}/")}
            kept.append(f"{name}/")
    kept += [place for place in wanted.values() if os.path.lexists(folder / place)]
    created = [place for place in wanted.values() if place not in kept]
    _write_all(folder, {place: template for template, place in wanted.items() if place in created})
    report = InitReport(str(folder), tuple(created), tuple(kept))
    cli.result(report, lambda _: [str(folder / place) for place in created])
    cli.say("\n".join(_advice(folder, report)))


def _write_all(folder: Path, templates: Mapping[str, str]) -> None:
    """Write the files elsewhere, then move each and each folder to its place: a kill leaves no half ones."""
    stage = folder / STAGE
    shutil.rmtree(stage, ignore_errors=True)  # of an init that was killed
    try:
        for place, template in templates.items():
            _write(stage / place, (SCAFFOLD / template).read_text(encoding="utf-8"))
        for name in dict.fromkeys(Path(place).parts[0] for place in templates):
            _publish(stage / name, folder / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(made: Path, wanted: Path) -> None:
    """Move a whole file or folder to its place; an empty folder may be there, or a mount."""
    try:
        if not wanted.is_dir():
            made.rename(wanted)
        else:
            for each in made.iterdir():
                each.rename(wanted / each.name)
    except OSError as error:
        raise _unwritable(wanted, error) from None


def _occupied(folder: Path) -> bool:
    try:
        return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise _unwritable(folder, error) from None


def _advice(folder: Path, report: InitReport) -> list[str]:
    lines = [f"Left alone, because it is there already: {each}" for each in report.kept]
    if ".gitignore" in report.kept:
        present = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace").split()
        missing = [
            each
            for each in (".env", ".graphmigrate/")
            if each not in present and each.rstrip("/") not in present
        ]
        lines += [f"Add this line to .gitignore: {each}" for each in missing]
    change = "" if folder == Path() else f"cd {folder} && "
    return [
        *lines,
        f"Next: {change}graphmigrate server start (or set NEO4J_URI), then "
        "graphmigrate migrate && graphmigrate seed && graphmigrate summary",
    ]


def _write(path: Path, text: str) -> None:
    """Write a new file, never over an old one; raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    try:
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already.", hint="Nothing was changed.", code="GM167") from None
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    reason = error.strerror or str(error)
    return UsageError(f"{path} cannot be written: {reason}.", hint="Check the folder's rights.", code="GM167")
