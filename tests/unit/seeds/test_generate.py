"""Generated rows are pure functions of their number: on every machine, from any row on, however many there are."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.rows import Source

EVERYTHING = """id=random.uuid(), n=sequence(), code=sequence('P{:06}', start=7, step=2), age=random.int(18, 90),
 big=random.int(-9223372036854775808, 9223372036854775807), score=random.float(0, 10, digits=2), raw=random.float(),
 tall=random.normal(170, 10, digits=1), ok=random.bool(0.25), city=choice(['Utrecht', 'Gent'], weights=[3, 1]),
 born=random.date('1950-01-01', '2000-12-31'), at=random.datetime('2024-01-01', '2024-12-31T23:59:59'),
 hex=random.text(8, '0123456789abcdef'), v=random.vector(3),
 tags=random.sample(['a', 'b', 'c'], 1, 2), maybe=choice([1, none]),
 kind=choice([random.int(1, 9), 'x']), boss=ref(), friend=ref(100, 'P{:06}', start=7),
 mail=concat('m-', sequence(), '@example.org'), fixed='same'"""


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


def test_every_function_gives_values_of_its_kind(tmp_path: Path) -> None:
    source = source_of(tmp_path, f"generate(400, {EVERYTHING})")
    assert source.size == 400
    made = list(source.values())
    assert [row["n"] for row in made] == list(range(1, 401))
    assert made[3]["code"] == "P000013"
    assert all(18 <= row["age"] <= 90 and 0 <= row["score"] <= 10 and 0 <= row["raw"] < 1 for row in made)
    assert all(-(2**63) <= row["big"] < 2**63 for row in made)
    assert any(row["big"] > 2**62 for row in made)
    assert any(row["big"] < -(2**62) for row in made)
    assert 160 < sum(row["tall"] for row in made) / 400 < 180
    assert 50 < sum(row["ok"] for row in made) < 150
    assert 240 < Counter(row["city"] for row in made)["Utrecht"] < 360
    assert all(datetime.date(1950, 1, 1) <= row["born"] <= datetime.date(2000, 12, 31) for row in made)
    assert all(row["at"].tzinfo is datetime.UTC and row["at"].year == 2024 for row in made)
    assert all(len(row["v"]) == 3 and 1 <= len(row["tags"]) <= 2 for row in made)
    assert all(sorted(set(row["tags"])) == row["tags"] for row in made)
    assert len({row["id"] for row in made}) == 400
    assert {type(row["kind"]) for row in made} == {int, str}
    assert 100 < sum(row["maybe"] is None for row in made) < 300
    assert made[0]["boss"] is None
    assert all(1 <= row["boss"] < row["n"] for row in made[1:])
    assert all(row["friend"] in {f"P{number:06}" for number in range(7, 107)} for row in made)
    assert made[2]["mail"] == "m-3@example.org"
    assert {row["fixed"] for row in made} == {"same"}


def test_known_rows_stay_as_they_are(tmp_path: Path) -> None:
    """A change of these numbers changes every graph that somebody generated: it needs a new major version."""
    expression = "generate(3, id=random.uuid(), n=random.int(1, 1000), f=random.float(0, 1, digits=9), c=choice('abc' | list))"
    assert rows(tmp_path, expression, "people") == KNOWN


KNOWN = [
    {"id": "aec24e3f-ea39-408f-b52d-0da6ab42e0d8", "n": 595, "f": 0.471400047, "c": "c"},
    {"id": "f1d01255-0edb-48e9-b24d-0d2a2d573692", "n": 498, "f": 0.332775374, "c": "b"},
    {"id": "3c61ae21-1762-4175-b524-42a42477805a", "n": 839, "f": 0.246395473, "c": "c"},
]


def test_another_process_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("faker")
    call = f"generate(20, {EVERYTHING}, name=fake.name(), mail2=fake('nl_NL').email(), many=fake.words(3))"
    here = repr(rows(tmp_path, call))
    code = (
        "import sys; from pathlib import Path; from graphmigrate.seeds import prepare\n"
        "[seed] = prepare(Path(sys.argv[1])).seeds\nprint(repr(list(seed.program.parts[0].source.values())))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == here


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 60), more=st.integers(0, 60), skip=st.integers(0, 70))
def test_a_row_depends_on_neither_count_nor_start(
    tmp_path_factory: Any, count: int, more: int, skip: int
) -> None:
    folder = tmp_path_factory.mktemp("g")
    few = source_of(folder, f"generate({count}, {EVERYTHING})")
    many = source_of(folder, f"generate({count + more}, {EVERYTHING})")
    assert list(few.values()) == list(islice(many.values(), count))
    assert list(many.values(skip)) == list(many.values())[skip:]
    assert list(many.lists(["mail", "age"], skip)) == [[row["mail"], row["age"]] for row in many.values(skip)]


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


def test_other_columns_blocks_and_seeds_do_not_share_their_numbers(tmp_path: Path) -> None:
    one = [row["a"] for row in rows(tmp_path, "generate(9, a=random.int(1, 1000))")]
    assert [
        row["a"] for row in rows(tmp_path, "generate(9, b=random.int(1, 2), a=random.int(1, 1000))")
    ] == one
    assert [row["b"] for row in rows(tmp_path, "generate(9, b=random.int(1, 1000))")] != one
    assert [row["a"] for row in rows(tmp_path, "generate(9, a=random.int(1, 1000))", "other")] != one
    assert [row["a"] for row in rows(tmp_path, "generate(9, 'named', a=random.int(1, 1000))")] != one
    second = "{% set first = generate(9, a=random.int(1, 1000)) %}"
    assert [row["a"] for row in rows(tmp_path, "generate(9, a=random.int(1, 1000))", before=second)] != one
    named = "generate(9, 'named', a=random.int(1, 1000))"
    assert rows(tmp_path, named, before=second) == rows(tmp_path, named)


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
    "generate(3, a=sequence('x'))",
    "generate(3, a=sequence(100))",
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


def test_written_out_alone_each_is_the_next_value(tmp_path: Path) -> None:
    text = """{% for i in range(N) %}CREATE (:P {id: {{ sequence() }},
age: {{ random.int(1, 10**9) }}, x: {{ concat('x', sequence()) }}});
{% endfor %}"""

    def written(count: int) -> list[Any]:
        (tmp_path / "a.cypher.j2").write_text(text.replace("N", str(count)))
        queries = prepare(tmp_path, names=["a"]).seeds[0].program.queries
        assert {query.text for query in queries} <= {"CREATE (:P {id: $p1,\nage: $p2, x: $p3})"}
        return [list(query.parameters.values()) for query in queries]

    made = written(5)
    assert [row[0] for row in made] == [1, 2, 3, 4, 5]
    assert [row[2] for row in made] == ["x1", "x2", "x3", "x4", "x5"]
    assert len({row[1] for row in made}) == 5
    assert written(2) == made[:2]


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
        "RETURN {{ random.int(1, 2) + 1 }}",
        "RETURN {{ 'x' ~ sequence() }}",
        "RETURN {{ [sequence()] }}",
        "{% if random.bool() %}RETURN 1{% endif %}",
        "RETURN {{ sequence() | upper }}",
        "{% for x in sequence() %}{% endfor %}",
        "RETURN {{ random.int(1, 2).make }}",
        "RETURN {{ random.int.__globals__ }}",
        "RETURN {{ fake }}",
        "RETURN {{ random }}",
        "RETURN {{ generate(3, a=1)._makes }}",
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
