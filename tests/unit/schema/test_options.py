"""What is written of an index's options."""

from __future__ import annotations

import pytest

from graphmigrate.schema.options import options_of


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        (
            "OPTIONS {indexConfig: {`fulltext.analyzer`: 'standard-no-stop-words',`fulltext.eventually_consistent`: false}}",
            "",
        ),
        (
            "OPTIONS {indexConfig: {`fulltext.analyzer`: 'it\\'s',`fulltext.eventually_consistent`: true}}",
            "OPTIONS {indexConfig: {`fulltext.analyzer`: 'it\\'s', `fulltext.eventually_consistent`: true}}",
        ),
        (
            "OPTIONS {indexConfig: {`spatial.cartesian.max`: [100.0, 1000000.0],"
            "`spatial.cartesian.min`: [-1000000.0, -1000000.0]}}",
            "OPTIONS {indexConfig: {`spatial.cartesian.max`: [100.0, 1000000.0]}}",
        ),
        (
            "OPTIONS {indexConfig: {`vector.dimensions`: 3,`vector.hnsw.m`: 16,`vector.similarity_function`: 'COSINE'}}",
            "OPTIONS {indexConfig: {`vector.dimensions`: 3}}",
        ),
        ("OPTIONS {indexConfig: {}, indexProvider: 'x-1'}", "OPTIONS {indexProvider: 'x-1'}"),
        ("OPTIONS {indexConfig: new()}", "OPTIONS {indexConfig: new()}"),
    ],
)
def test_only_what_differs_from_the_defaults(written: str, kept: str) -> None:
    assert (
        options_of(f"CREATE FULLTEXT INDEX `OPTIONS` FOR (n:`A`) ON EACH [n.`t`] {written}".strip()) == kept
    )
