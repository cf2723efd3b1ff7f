"""The fields of every command's JSON object, read from the classes.

``docs/reference/json-output.md`` is checked against it.
"""

from __future__ import annotations

import re
from enum import Enum

from graphmigrate import errors, results
from graphmigrate.cli import entrypoint, migrations, project, seeds, server, support
from graphmigrate.value import Value

OBJECTS: dict[str, type[Value]] = {
    "migrate": results.MigrateResult,
    "plan": results.PlanResult,
    "status": results.Status,
    "validate": migrations.ValidateReport,
    "run": results.RunResult,
    "baseline": results.BaselineResult,
    "adopt": results.AdoptResult,
    "squash": results.SquashResult,
    "repair": results.RepairResult,
    "wait": results.Target,
    "entrypoint": entrypoint.EntrypointReport,
    "seed": results.SeedResult,
    "seed list": seeds.SeedListReport,
    "seed check": results.SeedCheckResult,
    "seed show": results.SeedShowResult,
    "summary": seeds.SummaryReport,
    "doctor": results.Checkup,
    "server start": server.ServerReport,
    "server status": server.ServerReport,
    "server stop": server.StopReport,
    "server url": server.UrlReport,
    "undo": results.UndoResult,
    "clean": results.CleanResult,
    "new": project.NewReport,
    "import": project.ImportReport,
    "init": project.InitReport,
    "completion": support.CompletionReport,
    "explain": support.CodesReport,
    "explain GM602": support.CodeReport,
}
NAMED = {
    name: each
    for module in (errors, results, migrations, seeds, project, server, support, entrypoint)
    for name, each in vars(module).items()
    if isinstance(each, type)
}
_WORDS = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Any": "any value",
    "datetime": "time (ISO 8601)",
    "timedelta": "number (seconds)",
}


def reference() -> str:
    """Return the field lists as Markdown: each command's object first, then the objects in them."""
    lines: list[str] = []
    seen: list[type[Value]] = list(OBJECTS.values())
    for each in seen:
        users = ", ".join(f"`{command}`" for command, made in OBJECTS.items() if made is each)
        lines += [f"### {each.__name__}{f' ({users})' if users else ''}", ""]
        for name, annotation in written_types(each).items():
            lines.append(f"- `{name}`: {_worded(annotation)}")
            seen += [made for made in objects_in(annotation) if made not in seen]
        lines.append("")
    return "\n".join(lines).strip()


def written_types(made: type[Value]) -> dict[str, str]:
    """Return a value's fields with their types as they are written."""
    return {name: str(made.__annotations__[name]) for name in made._fields}


def objects_in(annotation: str) -> list[type[Value]]:
    """Return the values that a type names."""
    found = [NAMED[word] for word in re.findall(r"\w+", annotation) if word in NAMED]
    return [each for each in found if issubclass(each, Value)]


def _worded(annotation: str) -> str:
    if annotation.endswith(" | None"):
        return f"{_worded(annotation.removesuffix(' | None'))}, or null"
    if annotation.startswith("tuple["):
        return f"list of {_worded(annotation.removeprefix('tuple[').removesuffix(', ...]'))}"
    if annotation.startswith("dict["):
        return f"object, each value: {_worded(annotation.partition(', ')[2].removesuffix(']'))}"
    named = NAMED.get(annotation)
    if isinstance(named, type) and issubclass(named, Enum):
        return f"text, one of {', '.join(f'`{member.value}`' for member in named)}"
    return _WORDS.get(annotation, annotation)
