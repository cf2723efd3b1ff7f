"""The JSON Schemas of what people write: the shipped files fit them, and what the program refuses does not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from graphmigrate.seeds.frontmatter import split
from graphmigrate.settings.sources import NAMES
from scripts import json_schemas

ROOT = Path(__file__).parents[2]
SETTINGS = Draft7Validator(json_schemas.settings())
FRONT_MATTER = Draft7Validator(json_schemas.front_matter())


def test_the_schemas_are_schemas() -> None:
    for text in json_schemas.all_schemas().values():
        Draft7Validator.check_schema(json.loads(text))


@pytest.mark.parametrize(
    "folder", [".", "graphmigrate/scaffold", "examples/access-control", "examples/genai-stack"]
)
def test_shipped_settings_fit(folder: str) -> None:
    SETTINGS.validate(tomllib.loads((ROOT / folder / "graphmigrate.toml").read_text()))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lock_timeot", 1),
        ("password", "x"),
        ("lock_timeout", "soon"),
        ("uri", "http://x"),
        ("check_data", "maybe"),
    ],
)
def test_what_is_refused_does_not_fit(key: str, value: Any) -> None:
    assert not SETTINGS.is_valid({key: value})
    assert SETTINGS.is_valid({"lock-timeout": 5, "protected": True, "allow": ["any-label=V7"]})


def test_every_setting_says_what_it_means() -> None:
    properties = json_schemas.settings()["properties"]
    assert {*properties, "password"} == {*NAMES, "placeholders"}
    assert [name for name, each in properties.items() if not each.get("description")] == []


@pytest.mark.parametrize("file", sorted((ROOT / "seeds").glob("*.cypher.j2")), ids=lambda file: file.name)
def test_shipped_front_matter_fits(file: Path) -> None:
    written, _ = split(file.read_text())
    FRONT_MATTER.validate(YAML(typ="safe", pure=True).load(written or "{}"))


def test_front_matter_that_is_refused_does_not_fit() -> None:
    for wrong in ({"dependz": "a"}, {"order": "some"}, {"depends": [1]}, {"profiles": {"load": 3}}):
        assert not FRONT_MATTER.is_valid(wrong), wrong


def test_the_entry_for_schemastore_names_the_schema() -> None:
    entry = json_schemas.schema_store()
    assert entry["url"] == json_schemas.settings()["$id"]
    assert set(entry) == {"name", "description", "fileMatch", "url"}
