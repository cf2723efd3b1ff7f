"""Generated rows are pure functions of their number: on every machine, from any row on, however many there are."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.randomness import CLOCK, Locale
from graphmigrate.seeds.rows import Source


def source_of(folder: Path, expression: str, name: str = "a", before: str = "", **variables: Any) -> Source:
    front = "---\nvars: {scale: 1, seed: ''}\n---\n"
    text = f"{front}{before}{{% unwind row in {expression} %}}CREATE (n:A) SET n = row{{% endunwind %}}"
    (folder / f"{name}.cypher.j2").write_text(text)
    [seed] = prepare(folder, names=[name], variables=variables).seeds
    part = seed.program.parts[-1]
    assert isinstance(part, Rows)
    return part.source


def rows(folder: Path, expression: str, name: str = "a", **more: Any) -> list[Any]:
    return list(source_of(folder, expression, name, **more).values())


def test_faker_rows_depend_on_neither_count_nor_start(tmp_path: Path) -> None:
    pytest.importorskip("faker")
    columns = "name=fake.name(), job=fake.job(), when=fake.random_element(['a', 'b']), d=fake.pydecimal(2, 2)"
    many = source_of(tmp_path, f"generate(30, {columns})")
    whole = list(many.values())
    assert rows(tmp_path, f"generate(5, {columns})") == whole[:5]
    assert list(many.values(17)) == whole[17:]
    assert [row["name"] for row in whole] == [row[0] for row in many.lists(["name"])]
    assert len({row["name"] for row in whole}) > 20
    assert isinstance(whole[0]["d"], float)


def test_the_scale_is_a_variable(tmp_path: Path) -> None:
    source = source_of(tmp_path, "generate(10 * scale, {'first name': sequence()})", scale="3")
    assert (source.size, source.columns) == (30, ("first name",))
    assert source_of(tmp_path, "generate(10 * 0.5, a=sequence())").size == 5
    assert rows(tmp_path, "generate(0, a=sequence(), b=ref(0))") == []


def test_references_to_another_block(tmp_path: Path) -> None:
    before = "{% set people = generate(50, id=random.uuid(), name=random.text(3)) %}"
    people = rows(tmp_path, "people", before=before)
    links = rows(tmp_path, "generate(300, a=ref(people, 'id'), b=ref(people, 'id', skew=3))", before=before)
    ids = [row["id"] for row in people]
    assert {row["a"] for row in links} <= set(ids)
    assert len({row["a"] for row in links}) > 40
    early = sum(row["b"] in ids[:7] for row in links)
    assert early > 120  # a seventh of the people has half of the links


WRONG = [
    "generate(-1, a=1)",
    "generate('3', a=1)",
    "generate(1.5, a=1)",
    "generate(true, a=1)",
    "generate(3)",
    "generate(3, 'x')",
    "generate(3, 'x', 'y', a=1)",
    "generate(3, [1], a=1)",
    "generate(3, a=column('b'))",
    "generate(3, a=column('a'))",
    "generate(3, a=concat(column('b')), b=column('a'))",
    "generate(3, a=random.int(5, 1))",
    "generate(3, a=random.int(1))",
    "generate(3, a=random.int('1', 2))",
    "generate(3, a=random.float(1, 0))",
    "generate(3, a=random.normal(0, 0))",
    "generate(3, a=random.bool(2))",
    "generate(3, a=random.date('x', 'y'))",
    "generate(3, a=random.date('2024-02-01', '2024-01-01'))",
    "generate(3, a=random.datetime('2024-01-01', 3))",
    "generate(3, a=random.text(-1))",
    "generate(3, a=random.text(3, ''))",
    "generate(3, a=random.vector(0))",
    "generate(3, a=choice([]))",
    "generate(3, a=choice('ab'))",
    "generate(3, a=choice([1, 2], weights=[1]))",
    "generate(3, a=choice([1, 2], weights=[0, 0]))",
    "generate(3, a=choice([1], weights=[-1]))",
    "generate(3, a=random.sample([1], 2))",
    "generate(3, a=random.list(1, 5, 2))",
    "generate(3, a=random.maybe(1, 7))",
    "generate(3, a=random.pool(1, 0))",
    "generate(3, a=sequence('x'))",
    "generate(3, a=sequence('{}{}'))",
    "generate(3, a=sequence('{0.__class__}'))",
    "generate(3, a=sequence('{:>99999999}'))",
    "generate(3, a=ref(-1))",
    "generate(3, a=ref('x'))",
    "generate(3, a=ref(3, skew=0))",
    "generate(3, a=ref(generate(3, b=1), 'c'))",
    "generate(3, a=ref(generate(3, b=1)))",
    "generate(3, a=random.nope())",
    "generate(3, a=random)",
    "generate(3, a=random.int)",
    "generate(3, a=csv('x'))",
    "generate(3, 'x', a=generate(3, 'x', b=1))",
]


def test_a_column_may_have_any_name(tmp_path: Path) -> None:
    made = rows(tmp_path, "generate(2, id=sequence(), count=7, self='x', more=1, columns=2)")
    assert made[1] == {"id": 2, "count": 7, "self": "x", "more": 1, "columns": 2}


@pytest.mark.parametrize("call", WRONG)
def test_wrong_arguments_are_named_at_the_line(tmp_path: Path, call: str) -> None:
    with pytest.raises(SeedFileError) as raised:
        source_of(tmp_path, call)
    assert raised.value.place is not None
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    "expression",
    [
        "RETURN {{ column('a') }}",
        "RETURN {{ concat(column('a')) }}",
        "RETURN {{ random.int(1, 2) + 1 }}",
        "RETURN {{ 'x' ~ sequence() }}",
        "RETURN {{ [sequence()] }}",
        "{% if random.bool() %}RETURN 1{% endif %}",
        "RETURN {{ sequence() | upper }}",
        "{% for x in sequence() %}{% endfor %}",
        "RETURN {{ random.int(1, 2).bind }}",
        "RETURN {{ random.int.__globals__ }}",
        "RETURN {{ fake }}",
        "RETURN {{ random }}",
        "RETURN {{ generate(3, a=1)._specifications }}",
        "RETURN {{ generate(3, a=1).column('a') }}",
        "RETURN {{ random.member('int') }}",
        "RETURN {{ random['int'] }}",
        "RETURN {{ random | attr('member') }}",
        "RETURN {{ choice.__closure__ }}",
    ],
)
def test_a_specification_is_no_value_and_has_no_inside(tmp_path: Path, expression: str) -> None:
    (tmp_path / "a.cypher.j2").write_text(expression)
    with pytest.raises(SeedFileError) as raised:
        prepare(tmp_path)
    assert raised.value.place is not None


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
            ("fake['name']()", ""),
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
        allowed = sorted(found._methods - CLOCK - {"image", "zip", "tar", "enum", "ssn"})
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
