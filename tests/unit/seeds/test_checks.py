"""What comes from the environment is shown neither by ``seed show`` nor in what a server says."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.cypher.lexer import tokens
from graphmigrate.errors import GraphMigrateError, Place, PreflightError, Problem, SeedFailed
from graphmigrate.results import ShownStatement
from graphmigrate.seeds import prepare
from graphmigrate.seeds.checks import hiding, show
from graphmigrate.seeds.plan import PreparedSeed
from graphmigrate.settings import Settings

SETTINGS = Settings(env_allowed=("TENANT", "OTHER"))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT", "Hidden`North ")
    monkeypatch.setenv("OTHER", "Ab1")


def seed_of(folder: Path, text: str) -> PreparedSeed:
    (folder / "a.cypher.j2").write_text(text)
    return prepare(folder, settings=SETTINGS).seeds[0]


def shown(folder: Path, text: str) -> ShownStatement:
    (folder / "a.cypher.j2").write_text(text)
    [statement] = show(prepare(folder, settings=SETTINGS), "a", rows=5).statements
    return statement


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("env('TENANT')", "`***`"),
        ("env('TENANT') | trim | upper", "`***`"),
        ("'Of' ~ env('TENANT') ~ 'too'", "`Of***too`"),
        ("env('OTHER') | lower", "`***`"),
        ("'Of' ~ env('OTHER')", "`OfAb1`"),
    ],
)
def test_names_in_the_query_text_are_hidden(tmp_path: Path, name: str, text: str) -> None:
    statement = shown(tmp_path, f"MERGE (:{{{{ ({name}) | identifier }}}} {{ab1: 'Ab1'}});")
    assert statement.cypher == f"MERGE (:{text} {{ab1: 'Ab1'}})"


@pytest.mark.parametrize(
    "derived", ["| upper", "| lower", "| title", "| capitalize", "| trim", "| trim | upper", "| string"]
)
@pytest.mark.parametrize("name", ["TENANT", "OTHER"])
def test_values_in_other_case_are_hidden(tmp_path: Path, name: str, derived: str) -> None:
    value = f"{{{{ [env('{name}') {derived}, {{'x': env('{name}') {derived}}}] }}}}"
    statement = shown(tmp_path, f"MERGE (:A {{x: {value}}});")
    assert statement.parameters == {"p1": ["***", {"x": "***"}]}


@pytest.mark.parametrize("number", ["4711", "-47", "007", "2.5"])
def test_numbers_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    monkeypatch.setenv("OTHER", number)
    kind = "float" if "." in number else "int"
    statement = shown(
        tmp_path,
        f"{{% unwind row in [{{'n': env('OTHER') | {kind}, 'm': 12}}] %}}\n"
        f"MERGE (:A {{n: row.n, m: row.m, x: {{{{ env('OTHER') | {kind} }}}},"
        f" y: {{{{ env('OTHER') | {kind} | literal }}}}}});\n{{% endunwind %}}",
    )
    assert statement.parameters == {"p1": "***"}
    assert statement.rows == (["***", 12],)
    assert "y: ***}" in statement.cypher.replace("-", "")


def test_what_is_true_is_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "1")
    statement = shown(tmp_path, "MERGE (:A {x: {{ [env('OTHER'), env('OTHER') | int, true] }}});")
    assert statement.parameters == {"p1": ["***", "***", True]}


def test_the_text_stays_whole_where_nothing_is_hidden(tmp_path: Path) -> None:
    text = (
        "MERGE (:A {x: {{ env('OTHER') }}, `b``c`: 'Ab1', y: 0x1F}) /* Ab1 */ // Ab1\nSET Ab1 = \"\\u0041\""
    )
    seed = seed_of(tmp_path, text.replace("Ab1 =", "n.Ab1 =").replace("(:A", "(n:A"))
    [query] = seed.program.queries
    assert "".join(query.text[token.start : token.end] for token in tokens(query.text)) == query.text
    assert show(prepare(tmp_path, settings=SETTINGS), "a", rows=5).statements[0].cypher == query.text


@pytest.mark.parametrize("kind", [SeedFailed, PreflightError])
def test_what_a_server_says_of_them_is_hidden(tmp_path: Path, kind: type[GraphMigrateError]) -> None:
    seed = seed_of(tmp_path, "MERGE (:A {x: {{ env('TENANT') }}, y: {{ env('OTHER') }}});")
    place = Place("a", 3)
    said = "There is `x` = 'HIDDEN`North ' and 'Ab1' already"
    refused = kind(said, hint="Fix it.", place=place, code="GM201", problems=[Problem("GM201", said)])
    with pytest.raises(kind) as raised, hiding([seed]):
        raise refused
    error = raised.value
    assert str(error) == error.message == "There is `x` = '***' and 'Ab1' already"
    assert (error.hint, error.place, error.error_code) == ("Fix it.", place, "GM201")
    assert error.problems[0].message == error.message
    assert error.__suppress_context__


def test_an_error_without_them_stays_as_it_is(tmp_path: Path) -> None:
    seed = seed_of(tmp_path, "MERGE (:A {x: {{ env('TENANT') }}});")
    error = SeedFailed("Ab1")
    with pytest.raises(SeedFailed) as raised, hiding([seed]):
        raise error from ValueError()
    assert raised.value is error


def test_values_of_the_reset_are_hidden_too(tmp_path: Path) -> None:
    seed = seed_of(tmp_path, "---\nreset: \"MATCH (n {x: {{ env('TENANT') }}}) DELETE n\"\n---\nRETURN 1;")
    assert seed.secrets == ("Hidden`North ",)
