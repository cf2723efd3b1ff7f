"""Generated rows are pure functions of their number: on every machine, from any row on, however many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.program import Rows
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
