"""Templates yield text and values, never mixed: each known trap of Jinja, fixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.settings import Settings
from tests.seed_programs import EVIL, MACRO, refusal, sent

# Every way that a value could become text in stock Jinja; each must send one parameter and the same text.
VALUES: list[tuple[str, Any]] = [
    ("RETURN {{ v }}", EVIL),
    ("RETURN {{ 'a' ~ v ~ 'b' }}", f"a{EVIL}b"),
    ("RETURN {{ 'a' + v }}", f"a{EVIL}"),
    ("RETURN {{ '%s' % v }}", EVIL),
    ("RETURN {{ '%s' | format(v) }}", EVIL),
    ("RETURN {{ '{}'.format(v) }}", EVIL),
    ("RETURN {{ '{x}'.format_map({'x': v}) }}", EVIL),
    ("RETURN {{ v | replace('a', v) }}", EVIL.replace("a", EVIL)),
    ("RETURN {{ v | upper }}", EVIL.upper()),
    ("RETURN {{ [v, v] | join(v) }}", EVIL * 3),
    ("RETURN {{ v | string }}", EVIL),
    ("RETURN {{ v | indent }}", EVIL),
    ("RETURN {{ v | trim }}", EVIL.strip()),
    ("RETURN {{ v * 2 }}", EVIL * 2),
    ("RETURN {{ v if true else 1 }}", EVIL),
    ("RETURN {{ v or 1 }}", EVIL),
    ("RETURN {{ 'constant; RETURN 1' }}", "constant; RETURN 1"),
    ("RETURN {{ 'con' ~ 'stant' }}", "constant"),
    ("RETURN {{ 'con' 'stant' }}", "constant"),
    ("RETURN {{ 1 + 1 }}", 2),
    ("RETURN {{ 'a' | upper }}", "A"),
    ("{% set x = v %}RETURN {{ x }}", EVIL),
    ("{% set x %}RETURN {{ v }}{% endset %}{{ x }}", EVIL),
    ("{% macro m(x) %}{{ x }}{% endmacro %}RETURN {{ m(v) }}", EVIL),
    ("{% macro m(x) %}RETURN {{ x }}{% endmacro %}{{ m(x=v) }}", EVIL),
    ("{% macro m(x='d') %}RETURN {{ x }}{% endmacro %}{{ m() }}", "d"),
    ("{% macro m() %}RETURN {{ varargs[0] }}{% endmacro %}{{ m(v) }}", EVIL),
    ("{% macro m() %}RETURN {{ kwargs.k }}{% endmacro %}{{ m(k=v) }}", EVIL),
    ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}RETURN {{ v }}{% endcall %}", EVIL),
    ("{% macro m() %}{{ caller(v) }}{% endmacro %}{% call(x) m() %}RETURN {{ x }}{% endcall %}", EVIL),
    ("{% macro m(t) %}{{ t }}{% endmacro %}{% set t %}RETURN {{ v }}{% endset %}{{ m(t) }}", EVIL),
    ("{% block b %}RETURN {{ v }}{% endblock %}", EVIL),
    ("{% for x in [v] %}RETURN {{ x }}{% endfor %}", EVIL),
    ("{% for x in [v] recursive %}RETURN {{ x }}{% endfor %}", EVIL),
    ("{% with x = v %}RETURN {{ x }}{% endwith %}", EVIL),
    ("{% set n = namespace(x=v) %}RETURN {{ n.x }}", EVIL),
    ("RETURN {{ v[0] }}", "'"),
    ("RETURN {{ {'items': v}.items }}", EVIL),
    ("RETURN {{ cycler(v).next() }}", EVIL),
    ("RETURN {{ joiner(v) | default(v) and v }}", EVIL),
    ("RETURN {{ [v] }}", [EVIL]),
    ("RETURN {{ {'k': v} }}", {"k": EVIL}),
    ("RETURN {{ [v] | map('upper') }}", [EVIL.upper()]),
    ("RETURN {{ range(3) }}", [0, 1, 2]),
    ("RETURN {{ none }}", None),
    # Markup is a value like any other text.
    ("RETURN {{ v | safe }}", EVIL),
    ("RETURN {{ v | e | string }}", EVIL.replace("'", "&#39;")),
    ("RETURN {{ [v] | map('safe') | first }}", EVIL),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text for text, _ in VALUES])
def test_a_value_is_a_parameter_whatever_it_went_through(tmp_path: Path, text: str, value: Any) -> None:
    assert sent(tmp_path, text, v=EVIL) == [("RETURN $p1", {"p1": value})]


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'p/x.j2' %}",
        "{% include ['nowhere', 'p/x.j2'] %}",
        "{% import 'p/m.j2' as m %}{{ m.m(v) }}",
        "{% from 'p/m.j2' import m %}{{ m(v) }}",
        "{% from 'p/m.j2' import m as n with context %}{{ n(v) }}",
        "{% extends 'p/base.j2' %}{% block b %}RETURN {{ v }}{% endblock %}",
        "{% extends 'p/base.j2' %}{% block b %}{{ super() }}{% endblock %}",
        "{% block c %}RETURN {{ v }}{% endblock %};{% if false %}{{ self.c() }}{% endif %}",
    ],
)
def test_other_templates_yield_values_too(tmp_path: Path, text: str) -> None:
    others = {
        "p/x.j2": "RETURN {{ v }}",
        "p/m.j2": "{% macro m(x) %}RETURN {{ x }}{% endmacro %}",
        "p/base.j2": "{% block b %}RETURN {{ v }}{% endblock %}",
    }
    assert sent(tmp_path, text, others, v=EVIL) == [("RETURN $p1", {"p1": EVIL})]


TEXT_MISUSED = [
    "RETURN {{ m() ~ 'x' }}",
    "RETURN {{ 'x' ~ m() }}",
    "RETURN {{ m() + 'x' }}",
    "RETURN {{ 'x' + m() }}",
    "RETURN {{ m() * 2 }}",
    "RETURN {{ '%s' % m() }}",
    "RETURN {{ m() % 1 }}",
    "RETURN {{ '{}'.format(m()) }}",
    "RETURN {{ m() | upper }}",
    "RETURN {{ m() | length }}",
    "RETURN {{ m() | string }}",
    "RETURN {{ m() | replace('t', 'x') }}",
    "RETURN {{ 'x' | replace('x', m()) }}",
    "RETURN {{ m() | list }}",
    "RETURN {{ [m()] | join }}",
    "RETURN {{ [m()] }}",
    "RETURN {{ {'a': m()} }}",
    "RETURN {{ m() == 'text' }}",
    "RETURN {{ 'e' in m() }}",
    "RETURN {{ m()[0] }}",
    "RETURN {{ m() | identifier }}",
    "RETURN {{ m() | literal }}",
    "{% if m() %}RETURN 1{% endif %}",
    "{% for c in m() %}RETURN 1{% endfor %}",
    "{% unwind r in m() %}RETURN 1{% endunwind %}",
    "{% set x %}text{% endset %}RETURN {{ x | trim }}",
    "RETURN {{ ('a' | identifier) ~ 'b' }}",
    "RETURN {{ ['a'] | map('identifier') | join(':') }}",
    "{% for r in csv(m()) %}{% endfor %}",
    "{% filter upper %}RETURN 1{% endfilter %}",
    "{% set x | upper %}RETURN 1{% endset %}",
]


@pytest.mark.parametrize("text", TEXT_MISUSED)
def test_template_text_cannot_become_a_value(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, MACRO + text).error_code == "GM575"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("RETURN\n  'Hello {{ 1 }}'", "GM575", 2, 10),
        ('RETURN "{{ 1 }}"', "GM575", 1, 9),
        ("RETURN 1 AS `x{{ 1 }}`", "GM575", 1, 15),
        ("RETURN 1 // {{ 1 }}", "GM575", 1, 13),
        ("/*\n\n{{ 1 }} */ RETURN 1", "GM575", 3, 1),
        ("RETURN '{{ 'x' | identifier }}'", "GM575", 1, 9),
        ("RETURN 'a{{ 1 | literal }}'", "GM575", 1, 10),
        ("RETURN \\u0027{{ 1 }}\\u0027", "GM575", 1, 14),
        ("RETURN {{ 1 }}{{ 2 }}", "GM575", 1, 8),
        ("RETURN x{{ 1 }}", "GM575", 1, 9),
        ("RETURN {{ 1 }}x", "GM575", 1, 8),
        ("RETURN 1{{ 1 }}", "GM575", 1, 9),
        ("RETURN ${{ 1 }}", "GM575", 1, 9),
        ("RETURN \\u0061{{ 1 }}", "GM575", 1, 14),
        ("RETURN 1{{ 1 | literal }}", "GM575", 1, 9),
        ("RETURN 1.{{ 1 | literal }}", "GM575", 1, 10),
        ("RETURN `{{ 'a' | identifier }}`", "GM575", 1, 9),
        ("MATCH (n:{{ 'a' | identifier }}{{ 'b' | identifier }})", "GM575", 1, 10),
        ("RETURN $x", "GM129", 1, 8),
        ("RETURN 1;\n RETURN $rows", "GM129", 2, 9),
        ("RETURN $`p1`", "GM129", 1, 8),
        ("\n\n{{ missing }}", "GM571", 3, 1),
        ("RETURN {{ v.missing }}", "GM571", 1, 1),
        ("RETURN {{ 1 if false }}", "GM571", 1, 1),
        ("RETURN 1\n{{ 1 / 0 }}", "GM571", 2, 1),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "GM571", 1, 1),
        ("RETURN 1\n{% if %}", "GM570", 2, 1),
        ("RETURN 1;\n{% unwnd row in [1] %}RETURN row{% endunwnd %}", "GM570", 2, 1),
        ("RETURN {{ 9223372036854775808 }}", "GM553", 1, 1),
        ("RETURN {{ '' | identifier }}", "GM108", 1, 1),
        ("RETURN {{ 'a\\\\u0060' | identifier }}", "GM108", 1, 1),
        ("RETURN {{ 'a\\0' | identifier }}", "GM108", 1, 1),
        ("RETURN {{ 1 | identifier }}", "GM108", 1, 1),
        ("RETURN {{ '1' | literal }}", "GM575", 1, 1),
        ("RETURN {{ none | literal }}", "GM575", 1, 1),
        ("RETURN {{ '1e999' | float | literal }}", "GM575", 1, 1),
        ("\nRETURN 'open", "GM102", 2, 8),
        ("CREATE INDEX x FOR (n:A) ON (n.b)", "GM106", 1, 1),
        (";\n MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS", "GM106", 2, 2),
        ("CREATE DATABASE x", "GM106", 1, 1),
        ("RETURN 1;\n EXPLAIN MATCH (n:A) RETURN n", "GM106", 2, 2),
        ("CYPHER 5 PROFILE MATCH (n:A) RETURN n", "GM106", 1, 10),
        ("{% unwind i in [1] %}\nPROFILE CREATE (:A {i: i}){% endunwind %}", "GM106", 2, 1),
        ("// nothing\n{# yet #}/* at\nall */", "GM121", -2, 1),
    ],
)
def test_errors_name_the_line_of_the_template(
    tmp_path: Path, text: str, code: str, line: int, column: int
) -> None:
    error = refusal(tmp_path, text, v={})
    assert error.error_code == code
    assert error.place is not None
    assert (error.place.file, error.place.line - 3) == (str(tmp_path / "a.cypher.j2"), line)
    assert error.place.column == column


def test_a_value_inside_quotes_is_answered_with_the_concatenation(tmp_path: Path) -> None:
    error = refusal(tmp_path, "RETURN 'Hello {{ name }}, you are {{ age }}!'", name="x", age=3)
    assert error.hint == "Join the texts instead: 'Hello ' + {{ name }} + ', you are ' + {{ age }} + '!'"


def test_an_error_in_an_included_template_names_that_template(tmp_path: Path) -> None:
    error = refusal(tmp_path, "\n{% include 'parts/x.j2' %}", {"parts/x.j2": "\n\nRETURN 'a {{ 1 }}'"})
    assert str(error.place) == f"{tmp_path / 'parts/x.j2'}:3:11"
    error = refusal(tmp_path, "\n{% include 'parts/x.j2' %}", {"parts/x.j2": "\n{{ nope }}"})
    assert str(error.place) == f"{tmp_path / 'parts/x.j2'}:2:1"


def test_identifiers_and_literals(tmp_path: Path) -> None:
    text = "MATCH (:{{ 'A b`c' | identifier }})-[*1..{{ 3 | literal }}]-({x: {{ -5 | literal }}, y: {{ true | literal }}})"
    [(found, values)] = sent(tmp_path, text + " RETURN {{ 1.5e300 | literal }}")
    assert found == "MATCH (:`A b``c`)-[*1..3]-({x: -5, y: true}) RETURN 1.5e+300"
    assert values == {}


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            "{% unwind row in [{'a': 1}] %}CREATE (:A {x: {{ row.a }}}){% endunwind %}",
            "GM580",
            "without braces: row.a",
        ),
        ("{% unwind row in [1] %}RETURN {{ row }}{% endunwind %}", "GM580", "without braces: row"),
        ("{% unwind row in [1] %}RETURN {{ row['a'] }}{% endunwind %}", "GM580", "row.a"),
        ("{% unwind row in [1] %}RETURN {{ [row] }}{% endunwind %}", "GM580", "without braces: row"),
        ("{% unwind row in [1] %}{% if row.a %}RETURN 1{% endif %}{% endunwind %}", "GM580", "row.a"),
        ("{% unwind row in [1] %}RETURN {{ row ~ 'x' }}{% endunwind %}", "GM580", "row"),
        ("{% unwind row in [{'a': 1}] %}RETURN row.b{% endunwind %}", "GM582", "Known columns: a"),
        ("RETURN 1 {% unwind row in [1] %}RETURN row{% endunwind %}", "GM580", "semicolon"),
        ("CREATE (:A {x: {% unwind row in [1] %}RETURN row{% endunwind %}})", "GM580", "semicolon"),
        (
            "{% unwind row in [1] %}RETURN row; RETURN 1{% endunwind %}",
            "GM580",
            "one {% unwind %} block for each",
        ),
        ("{% unwind row in [1] %} // nothing\n{% endunwind %}", "GM580", "Write the statement"),
        (
            "{% unwind a in [1] %}{% unwind b in [1] %}RETURN b{% endunwind %}{% endunwind %}",
            "GM580",
            "UNWIND row.tags AS tag",
        ),
        ("{% unwind row in 'abc' %}RETURN row{% endunwind %}", "GM591", "csv("),
        ("{% unwind row in {'a': 1} %}RETURN row{% endunwind %}", "GM591", "items"),
        ("{% unwind row in none %}RETURN row{% endunwind %}", "GM591", ""),
        ("{% unwind row in 3 %}RETURN row{% endunwind %}", "GM591", ""),
        ("{% unwind row in nope %}RETURN row{% endunwind %}", "GM571", ""),
        ("{% unwind row of [1] %}RETURN row{% endunwind %}", "GM570", ""),
        ("{% unwind row in [1] %}RETURN row", "GM570", ""),
        ("{% unwind row in csv('../x.csv') %}RETURN row{% endunwind %}", "GM583", ""),
        ("{% unwind row in csv(3) %}RETURN row{% endunwind %}", "GM583", ""),
        ("{% unwind row in [1] %}CREATE INDEX x FOR (n:A) ON (n.b){% endunwind %}", "GM106", ""),
    ],
)
def test_unwind_blocks_are_whole_statements(tmp_path: Path, text: str, code: str, words: str) -> None:
    error = refusal(tmp_path, text)
    assert error.error_code == code
    assert words in f"{error.hint}"
    assert error.place is not None


def test_a_misspelt_tag_and_a_filter_that_is_not_there_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "{% unwnd row in [1] %}{% endunwnd %}").hint == "Did you mean {% unwind %}?"
    assert "Did you mean 'upper'" in str(refusal(tmp_path, "RETURN {{ 'x' | uppr }}").hint)


def test_a_mistaken_row_is_refused_in_macros_too(tmp_path: Path) -> None:
    text = "{% macro m(r) %}{x: {{ r.a }}}{% endmacro %}{% unwind row in [1] %}CREATE (:A {{ m(row) }}){% endunwind %}"
    assert refusal(tmp_path, text).error_code == "GM580"


def test_the_clock_cannot_be_read(tmp_path: Path) -> None:
    """Rendering must be the same later, when an interrupted load resumes."""
    (tmp_path / "a.cypher.j2").write_text("---\nvars:\n  d: 2024-01-01\n---\nRETURN {{ d.today() }}")
    with pytest.raises(SeedFileError):
        prepare(tmp_path)


def test_a_statement_has_a_largest_size(tmp_path: Path) -> None:
    (tmp_path / "a.cypher.j2").write_text("RETURN 1;\nRETURN '" + "x" * 100 + "'")
    prepare(tmp_path, settings=Settings(max_statement_size=200))
    with pytest.raises(SeedFileError) as raised:
        prepare(tmp_path, settings=Settings(max_statement_size=100))
    assert raised.value.error_code == "GM122"
    assert raised.value.place is not None
    assert raised.value.place.line == 2
