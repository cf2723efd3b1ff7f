"""Values of the environment are parameters, and show hides them; Faker's methods, but those that look at the clock."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare
from graphmigrate.seeds.checks import show
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.functions import CLOCK, Locale
from graphmigrate.settings import Settings
from tests.unit.seeds.test_generate import rows, source_of

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


class TestFaker:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("faker")

    @pytest.mark.parametrize(
        "call",
        [
            "fake.date_of_birth()",
            "fake.date_this_year()",
            "fake.past_datetime()",
            "fake.unix_time()",
            "fake.profile()",
            "fake.iso8601()",
            "fake.passport_full()",
            "fake.credit_card_expire()",
            "fake.time_object()",
        ],
    )
    def test_what_looks_at_the_clock_is_refused(self, tmp_path: Path, call: str) -> None:
        with pytest.raises(SeedFileError, match="looks at the clock") as raised:
            source_of(tmp_path, f"generate(3, a={call})")
        assert "random.date" in (raised.value.hint or "")

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            ("fake.nam()", "Did you mean 'name'"),
            ("fake.unique.name()", "concat"),
            ("fake.seed_instance(1)", ""),
            ("fake.add_provider('x')", ""),
            ("fake.random", ""),
            ("fake.__class__", ""),
            ("fake._faker", ""),
            ("fake.name(nope=1)", "arguments"),
            ("fake('xx_YY').name()", "For example"),
            ("fake('../x').name()", "For example"),
            ("fake(1).name()", ""),
            ("fake.parse('{{name}}')", ""),
            ("fake.get_providers()", ""),
            ("fake.format('name')", ""),
            ("fake.name.__self__", ""),
            ("fake.pyobject('x')", ""),
        ],
    )
    def test_only_methods_of_providers_are_reached(self, tmp_path: Path, call: str, words: str) -> None:
        with pytest.raises(SeedFileError) as raised:
            source_of(tmp_path, f"generate(3, a={call})")
        assert words in (raised.value.hint or "")
        assert raised.value.place is not None

    @pytest.mark.parametrize("locale", ["en_US", "sv_SE"])
    def test_what_is_allowed_does_not_look_at_the_clock(self, locale: str) -> None:
        """Calls every method without arguments, and watches which functions written in C it calls."""
        found = Locale(locale)
        allowed = sorted(
            {each for each in found._methods if not CLOCK.fullmatch(each)}
            - {"image", "zip", "tar", "enum", "ssn"}
        )
        seen: dict[str, set[str]] = {}

        def watch(_: Any, event: str, called: Any) -> None:
            if event == "c_call":
                word = getattr(called, "__name__", "")
                if word in {"now", "utcnow", "today", "time", "localtime", "gmtime"}:
                    seen.setdefault(name, set()).add(word)

        for name in allowed:
            with contextlib.suppress(Exception):
                call = getattr(found._faker, name)
                sys.setprofile(watch)
                call()
            sys.setprofile(None)
        assert len(allowed) > 150
        assert seen == {}


def test_without_faker_the_command_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(SeedFileError) as raised:
        source_of(tmp_path, "generate(3, a=fake.name())")
    assert raised.value.error_code == "GM593"
    assert "pip install 'graphmigrate[faker]'" in (raised.value.hint or "")
    assert len(rows(tmp_path, "generate(3, a=random.int(1, 2))")) == 3
