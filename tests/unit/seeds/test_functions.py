"""Values of the environment are parameters, and show hides them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare, show
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.settings import Settings

ROWS = "id,age,city\n1,30,Gent\n2,17,Utrecht\n3,,Gent\n4,64,Gent\n5,18,\n"


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
