"""Types of properties, as the server prints them."""

from __future__ import annotations

import pytest

from graphmigrate.schema.property_types import normalise_text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("varchar", "STRING"),
        ("BOOL", "BOOLEAN"),
        ("SIGNED INTEGER", "INTEGER"),
        ("TIME WITHOUT TIME ZONE", "LOCAL TIME"),
        ("TIME WITH TIMEZONE", "ZONED TIME"),
        ("TIMESTAMP WITHOUT TIMEZONE", "LOCAL DATETIME"),
        ("TIMESTAMP WITH TIME ZONE", "ZONED DATETIME"),
        ("ARRAY<VARCHAR!>", "LIST<STRING NOT NULL>"),
        ("LIST < INT NOT NULL >", "LIST<INTEGER NOT NULL>"),
        ("STRING|VARCHAR", "STRING"),
        ("STRING | INTEGER | BOOLEAN", "BOOLEAN | STRING | INTEGER"),
        ("ANY VALUE<INT|STRING>", "STRING | INTEGER"),
        (
            "LIST<STRING NOT NULL> | POINT | LIST<BOOL NOT NULL>",
            "POINT | LIST<BOOLEAN NOT NULL> | LIST<STRING NOT NULL>",
        ),
        ("VECTOR<FLOAT64>(3) | STRING", "STRING | VECTOR<FLOAT NOT NULL>(3)"),
        ("VECTOR<INT8>(4)", "VECTOR<INTEGER8 NOT NULL>(4)"),
        ("UUID", "UUID"),
        ("SOMETHING NEW<3>", "SOMETHING NEW<3>"),
        ("LIST<STRING | INTEGER NOT NULL>", "LIST<STRING | INTEGER NOT NULL>"),
        ("LIST<INTEGER>", "LIST<INTEGER>"),
    ],
)
def test_property_types_as_the_server_prints_them(text, canonical):
    assert normalise_text(text) == canonical
