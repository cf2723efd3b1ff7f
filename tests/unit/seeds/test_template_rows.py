"""Filters of rows are lazy and count right; queries are text of the template; the environment is values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate.seeds import prepare, show
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.query_rows import QuerySource
from graphmigrate.seeds.rows import Source
from graphmigrate.settings import Settings

ROWS = "id,age,city\n1,30,Gent\n2,17,Utrecht\n3,,Gent\n4,64,Gent\n5,18,\n"
TYPED = "csv('x.csv', types={'age': 'int'})"


def source_of(
    folder: Path, expression: str, before: str = "", body: str = "CREATE (n:A) SET n = row"
) -> Source:
    (folder / "x.csv").write_text(ROWS)
    text = f"---\nvars: {{v: x}}\n---\n{before}{{% unwind row in {expression} %}}{body}{{% endunwind %}}"
    (folder / "a.cypher.j2").write_text(text)
    part = prepare(folder).seeds[0].program.parts[-1]
    assert isinstance(part, Rows)
    return part.source


def ids(source: Source, skip: int = 0) -> list[str]:
    found = [row["id"] for row in source.values(skip)]
    assert [row[0] for row in source.lists(["id"], skip)] == found
    return found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("where(city='Gent')", "134"),
        ("where('age', '>=', 18)", "145"),
        ("where('age', '<', 18)", "2"),
        ("where('age', '<>', 17)", "145"),
        ("where('age', '!=', 17) | where(city='Gent')", "14"),
        ("where('age', '==', 64, city='Gent')", "4"),
        ("where('city', 'in', ['Utrecht', 'Gent'])", "1234"),
        ("where('city', 'not in', ['Gent'])", "2"),
        ("where('city', 'is null')", "5"),
        ("where(city=none)", "5"),
        ("where('age', 'IS NOT  NULL')", "1245"),
        ("where('city', 'starts with', 'G')", "134"),
        ("where('city', 'ends with', 't')", "1234"),
        ("where('city', 'contains', 'tre')", "2"),
        ("limit(2)", "12"),
        ("limit(0)", ""),
        ("limit(99)", "12345"),
        ("where(city='Gent') | limit(2)", "13"),
        ("limit(2) | where(city='Gent')", "1"),
        ("select('id', 'age')", "12345"),
        ("select(id='id', years='age') | where('years', '>', 20) | limit(5)", "14"),
    ],
)  # fmt: skip
def test_filters(tmp_path: Path, filters: str, found: str) -> None:
    source = source_of(tmp_path, f"{TYPED} | {filters}")
    assert ids(source) == list(found)
    for skip in range(len(found) + 2):
        assert ids(source, skip) == list(found)[skip:]
    for index, each in enumerate(found):
        place = source.place(index)
        assert place is not None
        assert place.line == int(each) + 1
    assert source.files == ("x.csv",)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(
            [
                "where(city='Gent')",
                "limit(3)",
                "where('age', '>', 17)",
                "select('id', 'age', 'city')",
                "limit(1)",
            ]
        ),
        max_size=4,
    ),
    skip=st.integers(0, 6),
)
def test_any_chain_of_filters_can_be_resumed_anywhere(
    tmp_path_factory: Any, steps: list[str], skip: int
) -> None:
    source = source_of(tmp_path_factory.mktemp("f"), " | ".join([TYPED, *steps]))
    whole = list(source.values())
    assert list(source.values(skip)) == whole[skip:]
    assert list(source.lists(["age", "id"], skip)) == [[row["age"], row["id"]] for row in whole[skip:]]


def test_select_renames_and_bounds_what_a_body_can_use(tmp_path: Path) -> None:
    source = source_of(tmp_path, "csv('x.csv') | select('id', town='city')")
    assert source.columns == ("id", "town")
    assert next(source.values()) == {"id": "1", "town": "Gent"}
    with pytest.raises(SeedFileError, match="no column 'city'"):
        source_of(tmp_path, "csv('x.csv') | select('id', town='city')", body="CREATE (:A {x: row.city})")


def test_lists_are_filtered_too_and_select_on_them_is_that_of_jinja(tmp_path: Path) -> None:
    assert ids(source_of(tmp_path, "[{'id': '1'}, {'id': '2'}] | where(id='2')")) == ["2"]
    assert list(source_of(tmp_path, "[1, 2, 3] | select('odd') | list").values()) == [1, 3]
    (tmp_path / "x.json").write_text('[{"id": "1", "b": 2}]')
    assert source_of(tmp_path, "json('x.json') | select('id')").columns == ("id",)


def test_filters_read_no_more_than_is_wanted(tmp_path: Path) -> None:
    source = source_of(tmp_path, "range(10**12) | limit(10**11)", body="CREATE (:A {i: row})")
    assert next(source.values(10**10)) == 10**10
    assert source.size == 10**11


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ("where()", "GM596"),
        ("where('age')", "GM596"),
        ("where('age', '~', 3)", "GM596"),
        ("where('age', '>', 3, 4)", "GM596"),
        ("where('age', 'in', 3)", "GM596"),
        ("where(3, '=', 3)", "GM596"),
        ("where(town='x')", "GM596"),
        ("select()", "GM596"),
        ("select('id', 'id')", "GM596"),
        ("select('town')", "GM596"),
        ("select(3)", "GM596"),
        ("limit(-1)", "GM596"),
        ("limit('3')", "GM596"),
        ("limit()", "GM571"),
        ("where(id=range)", "GM574"),
        ("where(id=nope)", "GM571"),
    ],
)
def test_wrong_filters_are_refused_while_rendering(tmp_path: Path, filters: str, code: str) -> None:
    with pytest.raises(SeedFileError) as raised:
        source_of(tmp_path, f"{TYPED} | {filters}")
    assert raised.value.error_code == code
    assert raised.value.place is not None


@pytest.mark.parametrize(
    "filters",
    ["where(age='30')", "where('id', '>', 3)", "where('id', 'in', [1])", "where('age', 'starts with', 'x')"],
)
def test_texts_and_numbers_are_not_compared_in_silence(tmp_path: Path, filters: str) -> None:
    with pytest.raises(SeedFileError, match="row 1 of") as raised:
        list(source_of(tmp_path, f"{TYPED} | {filters}").values())
    assert raised.value.place is not None
    assert (raised.value.error_code, raised.value.place.line) == ("GM596", 2)


def test_columns_and_parameters_may_have_any_name(tmp_path: Path) -> None:
    names = ("rows", "condition", "equal", "names", "renamed", "self")
    lists = "".join(f"'{name}': '1', " for name in names)
    for name in names:
        source = source_of(tmp_path, f"[{{{lists}}}] | where({name}='1')")
        assert len(list(source.values())) == 1
        assert source_of(tmp_path, f"csv('x.csv') | select({name}='id')").columns == (name,)
    given_names = ("text", "places", "named", "more", "self")
    text = ", ".join(f"${name} AS {name}" for name in given_names)
    values = ", ".join(f"{name}=1" for name in given_names)
    [query] = source_of(tmp_path, f"query('RETURN {text}', {values})").queries
    assert query.parameters == dict.fromkeys(given_names, 1)
    [query] = source_of(tmp_path, "query('RETURN $x AS x', parameters={'x': 1})").queries
    assert query.parameters == {"x": 1}


def test_rows_without_columns_cannot_be_filtered_by_one(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError, match="has no column"):
        list(source_of(tmp_path, "[1, 2] | where(a=1)").values())


SET = "{% set q %}MATCH (n:{{ v | identifier }}) WHERE n.x > {{ 3 }} RETURN n.x AS x{% endset %}"


def test_a_query_is_text_of_the_template_and_its_values_are_parameters(tmp_path: Path) -> None:
    source = source_of(tmp_path, "query('MATCH (n) WHERE n.x > $x RETURN n.x AS x', x=v) | limit(3)")
    assert not source.resumable
    [query] = source.queries
    assert (query.text, query.parameters) == ("MATCH (n) WHERE n.x > $x RETURN n.x AS x", {"x": "x"})
    source = source_of(tmp_path, "query(q)", SET)
    assert isinstance(source, QuerySource)
    assert source.query.text == "MATCH (n:`x`) WHERE n.x > $p1 RETURN n.x AS x"
    assert source.query.parameters == {"p1": 3}
    source = source_of(tmp_path, "query(q, {'y': 2})", SET.replace("{{ 3 }}", "$y + {{ 3 }}"))
    assert source.queries[0].parameters == {"p1": 3, "y": 2}
    with pytest.raises(SeedFileError, match="none was asked") as raised:
        list(source.values())
    assert raised.value.error_code == "GM597"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("query('MATCH (n:' ~ v ~ ') RETURN n')", "GM595"),
        ("query('MATCH (n:%s) RETURN n' | format(v))", "GM595"),
        ("query('MATCH (n:%s) RETURN n' % v)", "GM595"),
        ("query(v)", "GM595"),
        ("query(3)", "GM595"),
        ("query('RETURN 1' if v else v)", "GM595"),
        ("query(['RETURN 1'][0])", "GM595"),
        ("query('RETURN $a AS a')", "GM579"),
        ("query('RETURN 1 AS a', a=1)", "GM595"),
        ("query('RETURN $p1 AS a', p1=1)", "GM595"),
        ("query('RETURN $a AS a', [1])", "GM595"),
        ("query('RETURN $a AS a', {'a b': 1})", "GM595"),
        ("query('RETURN $a AS a', a=range)", "GM574"),
        ("query('RETURN 1; RETURN 2')", "GM595"),
        ("query('')", "GM595"),
        ("query('CREATE INDEX x FOR (n:A) ON (n.b)')", "GM585"),
        ('query("RETURN \'open")', "GM102"),
        ("query()", "GM571"),
    ],
)
def test_a_query_made_of_values_is_refused(tmp_path: Path, expression: str, code: str) -> None:
    for before in ("", "{% set f = query %}"):
        with pytest.raises(SeedFileError) as raised:
            source_of(tmp_path, expression.replace("query", "f") if before else expression, before)
        assert raised.value.place is not None
        assert before or raised.value.error_code == code


def test_another_name_for_query_does_not_take_values(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError) as raised:
        source_of(tmp_path, "f('MATCH (n) RETURN n')", "{% set f = query %}")
    assert raised.value.error_code == "GM595"


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def _variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TENANT", "'}) DETACH DELETE n //")
        monkeypatch.setenv("OTHER", "secret")
        monkeypatch.delenv("UNSET", raising=False)

    def seed(self, folder: Path, text: str) -> Any:
        (folder / "a.cypher.j2").write_text(text)
        return prepare(folder, settings=Settings(env_allowed=("TENANT", "UNSET"))).seeds[0]

    def test_its_values_are_parameters(self, tmp_path: Path) -> None:
        seed = self.seed(
            tmp_path, "RETURN {{ env('TENANT') }}, {{ 'x' ~ env('TENANT') }}, {{ env('UNSET', 'd') }}"
        )
        [query] = seed.program.queries
        assert query.text == "RETURN $p1, $p2, $p3"
        assert list(query.parameters.values()) == ["'}) DETACH DELETE n //", "x'}) DETACH DELETE n //", "d"]

    def test_a_changed_value_is_a_changed_seed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.seed(tmp_path, "RETURN {{ env('TENANT') }}").checksum
        assert self.seed(tmp_path, "RETURN {{ env('TENANT') }}").checksum == before
        monkeypatch.setenv("TENANT", "other")
        assert self.seed(tmp_path, "RETURN {{ env('TENANT') }}").checksum != before

    @pytest.mark.parametrize(
        "expression",
        [
            "env('OTHER')",
            "env('PATH')",
            "env('tenant')",
            "env('UNSET')",
            "env(3)",
            "env('OTHER', 'd')",
            "env(['TENANT'])",
            "env('TENANT').__class__",
        ],
    )
    def test_nothing_else_is_read(self, tmp_path: Path, expression: str) -> None:
        with pytest.raises(SeedFileError) as raised:
            self.seed(tmp_path, f"RETURN {{{{ {expression} }}}}")
        assert raised.value.place is not None
        assert "secret" not in f"{raised.value.message} {raised.value.hint}"

    def test_one_that_is_not_set_is_not_looked_for_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("UNSET=1\n")
        with pytest.raises(SeedFileError, match="is not set") as raised:
            self.seed(tmp_path, "RETURN {{ env('UNSET') }}")
        assert ".env does not count here" in str(raised.value.hint)

    def test_show_hides_them(self, tmp_path: Path) -> None:
        text = """RETURN {{ env('TENANT') }}, {{ ['a ' ~ env('TENANT'), 'TENANT'] }};
{% unwind row in [{'a': env('TENANT'), 'b': 1}] %}CREATE (:A {a: row.a, b: row.b, c: {{ env('TENANT') }}}){% endunwind %}"""
        self.seed(tmp_path, text)
        preparation = prepare(tmp_path, settings=Settings(env_allowed=("TENANT",)))
        shown = show(preparation, "a", rows=3)
        assert "DETACH" not in repr(shown)
        assert shown.statements[0].parameters == {"p1": "***", "p2": ["a ***", "TENANT"]}
        assert shown.statements[1].rows == (["***", 1],)


def test_show_gives_each_text_once_and_the_first_rows(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(ROWS)
    text = """{% for i in range(3) %}MERGE (:N {i: {{ i }}});
{% endfor %}{% unwind row in csv('x.csv') %}
MERGE (p:P {id: row.id})
SET p.age = row.age;
{% endunwind %}{% unwind n in generate(7, a=sequence()) %}CREATE (x) SET x = n{% endunwind %}"""
    (tmp_path / "a.cypher.j2").write_text(text)
    shown = show(prepare(tmp_path), "a", rows=2).statements
    assert [(each.line, each.times, each.rows_of, each.total) for each in shown] == [
        (1, 3, None, None),
        (3, None, "x.csv", None),
        (5, None, "generate(7)", 7),
    ]
    assert shown[0].parameters == {"p1": 0}
    assert (shown[1].columns, shown[1].rows) == (("id", "age"), (["1", "30"], ["2", "17"]))
    assert shown[2].rows == ({"a": 1}, {"a": 2})
    (tmp_path / "x.csv").write_text(ROWS + "6,1\n")
    with pytest.raises(SeedFileError, match="2 fields"):
        show(prepare(tmp_path), "a", rows=20)
