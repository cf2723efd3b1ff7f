"""Attempts to break out of a parameter or an identifier, made up by Hypothesis."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from graphmigrate.cypher.lexer import TokenKind, is_significant, tokens
from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.program import Query

common = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Pieces that mean something to Cypher, to Jinja or to the engine, between plain text.
NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "'",
                '"',
                "`",
                "``",
                "\\",
                "\\u0027",
                "\\u0060",
                "//",
                "/*",
                "*/",
                ";",
                "$p",
                "$p1",
                "$rows",
                "$",
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                "\n",
                "\r",
                "\ufeff",
                "\u2028",
                "{",
                "}",
                ")",
                "RETURN 1",
                "DETACH DELETE n",
                "\x00",
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)


def queries(text: str, **variables: Any) -> tuple[Query, ...]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        front = "---\nvars: {" + ", ".join(f"{each}: ''" for each in variables) + "}\n---\n"
        (folder / "a.cypher.j2").write_bytes((front + text).encode())
        [seed] = prepare(folder, variables=variables).seeds
        return seed.program.queries


SHAPES = [
    "RETURN {{ v }}",
    "RETURN {{ v ~ v }}",
    "RETURN {{ [v, {'k': v}] }}",
    "{% macro m(x) %}RETURN {{ x }}{% endmacro %}{{ m(v) }}",
    "{% set x %}RETURN {{ v }}{% endset %}{{ x }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}RETURN {{ v | trim }}{% endcall %}",
    "{% for c in [v] %}RETURN {{ c | replace('a', v) }}{% endfor %}",
    "{% unwind row in [{'a': v}] %}RETURN row.a, {{ v }}{% endunwind %}",
    "{% unwind row in generate(2, a=v, b=choice([v]), c=concat(v, sequence())) %}RETURN row.a, {{ v }}{% endunwind %}",
]


@pytest.mark.parametrize("shape", SHAPES)
@common
@given(value=NASTY)
def test_no_value_changes_the_text(shape: str, value: str) -> None:
    assume(not any("\ud800" <= character <= "\udfff" for character in value))
    plain = queries(shape, v="plain")
    hostile = queries(shape, v=value)
    assert [query.text for query in hostile] == [query.text for query in plain]
    if "~" not in shape and "|" not in shape and "[" not in shape:
        assert [query.parameters for query in hostile] == [{"p1": value}]


@common
@given(name=NASTY)
def test_an_identifier_is_one_name_or_refused(name: str) -> None:
    try:
        [query] = queries("MATCH (n:{{ v | identifier }}) RETURN n", v=name)
    except SeedFileError as error:
        assert error.error_code == "GM108"  # noqa: PT017
        assert (
            not name
            or any(each in name for each in "\\\0\r")
            or any("\ud800" <= each <= "\udfff" for each in name)
        )
        return
    found = [token for token in tokens(query.text) if is_significant(token)]
    assert [token.kind for token in found].count(TokenKind.NAME) == 1
    [quoted] = [token for token in found if token.kind is TokenKind.NAME]
    assert quoted.text[1:-1].replace("``", "`") == name
    assert [token.text for token in found if token is not quoted] == [
        "MATCH",
        "(",
        "n",
        ":",
        ")",
        "RETURN",
        "n",
    ]


@common
@given(
    pieces=st.lists(
        st.one_of(NASTY, st.sampled_from(["{{ v }}", "{{ v | identifier }}", "{{ 1 | literal }}"])),
        max_size=7,
    )
)
def test_whatever_surrounds_a_value_it_is_a_parameter_or_an_error(pieces: list[str]) -> None:
    text = "RETURN " + "".join(pieces)
    try:
        found = queries(text, v="Zq9Zq9 DELETE")
    except SeedFileError as error:
        assert error.place is not None  # noqa: PT017
        return
    for query in found:
        parameters = [token for token in tokens(query.text) if token.kind is TokenKind.PARAMETER]
        assert {token.text for token in parameters} == {f"${name}" for name in query.parameters}
        names = [token.text for token in tokens(query.text) if token.kind is TokenKind.NAME]
        assert query.text.count("Zq9Zq9") == names.count("`Zq9Zq9 DELETE`")


@common
@given(template=NASTY)
def test_any_template_is_answered_with_a_program_or_a_placed_error(template: str) -> None:
    assume(not any("\ud800" <= character <= "\udfff" for character in template))
    try:
        queries(template)
    except SeedFileError as error:
        assert error.place is not None  # noqa: PT017
