"""JSON Schemas made from the code: of each command's JSON object, of graphmigrate.toml, of a seed's front matter.

``scripts/reference`` writes them to ``docs/reference/schemas``.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

from graphmigrate import errors
from graphmigrate.cli.render.json import FORMAT
from graphmigrate.seeds.frontmatter import KEYS
from graphmigrate.settings.model import SCHEMES, Settings
from graphmigrate.settings.sources import NAMES, TYPES
from scripts.json_fields import NAMED, OBJECTS, objects_in, written_types

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGE, SCHEMAS = REFERENCE / "configuration.md", REFERENCE / "schemas"
DIALECT = "http://json-schema.org/draft-07/schema#"
WHERE = "https://raw.githubusercontent.com/OWNER/graphmigrate/main/docs/reference/schemas"
TEXT: dict[str, Any] = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
_TYPES: dict[str, dict[str, Any]] = {
    "str": TEXT,
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "timedelta": {"type": "number"},
    "Any": {},
}


def file_name(command: str) -> str:
    """Return the name of the file that holds a command's schema."""
    return f"{command.replace(' GM602', '-code').replace(' ', '-')}.json"


def all_schemas() -> dict[str, str]:
    """Return the text of each file, by its name."""
    made = {file_name(name): command(name, each) for name, each in OBJECTS.items()}
    made["error.json"] = _error()
    made["graphmigrate.toml.json"] = settings()
    made["seed-front-matter.json"] = front_matter()
    made["schemastore.json"] = schema_store()
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}


# ---- the object of each command


def command(name: str, made: type) -> dict[str, Any]:
    """Return the schema of what ``graphmigrate NAME --output json`` prints."""
    inner: list[type] = []
    _collect(made, inner)
    return {
        "$schema": DIALECT,
        "title": f"graphmigrate {name.replace('GM602', 'CODE')} --output json",
        **_with_format(_object(made)),
        "definitions": {each.__name__: _object(each) for each in inner},
    }


def _error() -> dict[str, Any]:
    named = {name: kind for name, kind in written_types(errors.Problem).items() if name != "severity"}
    error = {name: _schema(annotation) for name, annotation in named.items()}
    error["problems"] = {"type": "array", "items": {"$ref": "#/definitions/Problem"}}
    return {
        "$schema": DIALECT,
        "title": "What every command prints with --output json where it fails",
        **_with_format(_of({"error": _of(error)})),
        "definitions": {each.__name__: _object(each) for each in (errors.Problem, errors.Place)},
    }


def _with_format(schema: dict[str, Any]) -> dict[str, Any]:
    schema["properties"] = {"format": {"const": FORMAT}, **schema["properties"]}
    return {**schema, "required": ["format", *schema["required"]]}


def _of(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _object(made: type) -> dict[str, Any]:
    described = " ".join((made.__doc__ or "").split()).replace("``", "`")
    properties = {name: _schema(annotation) for name, annotation in written_types(made).items()}
    return {"description": described, **_of(properties)}


def _collect(made: type, found: list[type]) -> None:
    for annotation in written_types(made).values():
        for each in objects_in(annotation):
            if each not in found:
                found.append(each)
                _collect(each, found)


def _schema(annotation: str) -> dict[str, Any]:
    if annotation.endswith(" | None"):
        return {"anyOf": [_schema(annotation.removesuffix(" | None")), {"type": "null"}]}
    if annotation.startswith("tuple["):
        return {"type": "array", "items": _schema(annotation.removeprefix("tuple[").removesuffix(", ...]"))}
    if annotation.startswith("dict["):
        return {
            "type": "object",
            "additionalProperties": _schema(annotation.partition(", ")[2].removesuffix("]")),
        }
    if annotation in _TYPES:
        return _TYPES[annotation]
    named = NAMED[annotation]
    if issubclass(named, Enum):
        return {"enum": [each.value for each in named]}
    return {"$ref": f"#/definitions/{annotation}"}


# ---- what people write


def settings() -> dict[str, Any]:
    """Return the schema of ``graphmigrate.toml``; a key may have hyphens in place of underscores."""
    cells = re.findall(r"^\| `(\w+)` \|\s*([^|]*?)\s*\|\s*(.*?)\s*\|$", PAGE.read_text(), re.MULTILINE)
    rows = {name: _plain(meaning or f"Default: {default}") for name, default, meaning in cells}
    properties = {name: _setting(name, rows.get(name, "")) for name in sorted(NAMES) if name != "password"}
    properties["placeholders"] = {
        "description": "The names that migrations may use as ${name}, with their values; an empty one is given elsewhere",
        "anyOf": [{"type": "object", "additionalProperties": {"type": ["string", "number"]}}, TEXTS],
    }
    hyphened = {
        f"^{name.replace('_', '-')}$": {"$ref": f"#/properties/{name}"} for name in properties if "_" in name
    }
    return {
        "$schema": DIALECT,
        "$id": f"{WHERE}/graphmigrate.toml.json",
        "title": "Settings of graphmigrate",
        "type": "object",
        "properties": properties,
        "patternProperties": hyphened,
        "additionalProperties": False,
    }


def _plain(text: str) -> str:
    """Return a cell of a Markdown table without links and marks of code."""
    return re.sub(r"\s*\(?\[([^\]]*)\]\([^)]*\)\)?", r" \1", text).replace("`", "").strip()


def _setting(name: str, meaning: str) -> dict[str, Any]:
    kind, default = TYPES.get(name, "str"), getattr(Settings(), name, None)
    special: dict[str, dict[str, Any]] = {
        "uri": {"type": "string", "pattern": f"^({'|'.join(map(re.escape, SCHEMES))})://"},
        "check_data": {"enum": ["auto", "always", "never"]},
    }
    forms = {"Path": TEXT, "tuple[str, ...]": {"anyOf": [TEXTS, TEXT]}}
    schema = special.get(name) or forms.get(kind) or _TYPES.get(kind, {})
    schema = schema | {"description": meaning} if meaning else dict(schema)
    if isinstance(default, (bool, int, float, str)) and default != "":
        schema["default"] = default
    elif isinstance(default, Path):
        schema["default"] = str(default)
    return schema


def front_matter() -> dict[str, Any]:
    """Return the schema of the YAML at the top of a seed."""
    names = {"anyOf": [TEXT, TEXTS]}
    changed = {"anyOf": [{"type": "object"}, {"type": "null"}]}
    known = {
        "description": TEXT,
        "depends": {**names, "description": "The seeds that are loaded before this one."},
        "profiles": {
            "anyOf": [TEXT, TEXTS, {"type": "object", "additionalProperties": changed}],
            "description": "The profiles that load it; as a map, with the variables that each sets.",
        },
        "vars": {**changed, "description": "Its variables with their defaults."},
        "order": {"enum": ["any", "kept"]},
        "unmatched": {"enum": ["error", "warn", "ignore"]},
        "reset": {**TEXT, "description": "The statements that remove what it made."},
    }
    return {
        "$schema": DIALECT,
        "$id": f"{WHERE}/seed-front-matter.json",
        "title": "Front matter of a seed of graphmigrate",
        "type": "object",
        "properties": {key: known.get(key, {}) for key in KEYS},
        "additionalProperties": False,
    }


def schema_store() -> dict[str, Any]:
    """Return the entry for the catalogue of SchemaStore, which editors read."""
    return {
        "name": "graphmigrate.toml",
        "description": "Settings of graphmigrate, schema migrations and seeds for Neo4j",
        "fileMatch": ["graphmigrate.toml"],
        "url": f"{WHERE}/graphmigrate.toml.json",
    }
