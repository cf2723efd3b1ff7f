"""Which statements let their rows run in several sessions, and how rows are cut and dealt out."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.seeds.clauses import clauses, countable
from graphmigrate.seeds.cutting import Block, blocks, weight
from graphmigrate.seeds.cypher import lexemes
from graphmigrate.seeds.parallel.independence import spread_of
from graphmigrate.seeds.parallel.lanes import Inbox, Pace, Piece, Stopped, Turns
from graphmigrate.seeds.parallel.reaching import reach_of
from graphmigrate.seeds.parallel.spreading import ANY, KEPT, Spread, splitter


def spread(body: str) -> str:
    return spread_of(clauses(lexemes(body)), "row").text


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("CREATE (:P {id: row.id, at: datetime(row.at), n: $p1})", "any"),
        ("CREATE (p:P) SET p = row", "any"),
        ("CREATE (p:P) SET p += row", "any"),
        ("CREATE (:A {x: row.x})-[:T {w: toFloat(row.w)}]->(:B {y: row.y})", "any"),
        ("MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T]->(b)", "any"),
        ("MATCH (a:A {id: row.a}), (b:B) WHERE b.id = row.b AND a.x > 3 CREATE (a)<-[:T]-(b)", "any"),
        ("MATCH (a:A {id: row.a}) CREATE (:N {x: a.x + row.x})-[:OF]->(a)", "any"),
        ("MERGE (n:L {id: row.id})", "near3:id"),
        ("merge (n:L {id: row.id}) on create set n.x = row.x, n.y = 1 on match set n.x = row.z", "near3:id"),
        ("MERGE (n:L {id: row.id}) SET n += row", "near3:id"),
        ("MERGE (n:L {id: row.id}) SET n += {x: row.x}, n:Extra", "near3:id"),
        ("MERGE (n:L {id: row.id}) SET n.times = coalesce(n.times, 0) + 1", "near3:id"),
        ("MERGE (n:L {id: row})", "near3:"),
        ("MERGE (n:L {`a b`: row.`c d`}) SET n.x = CASE WHEN row.x STARTS WITH 'a' THEN 1 END", "near3:c d"),
        (
            "MATCH (m:M {id: row.m}) MERGE (e:E {id: row.id}) SET e.x = row.x MERGE (e)-[:RUN]->(m)",
            "near3:id",
        ),
        ("MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[r:T]->(b) SET r.w = row.w", "key:a"),
        ("MATCH (a:A) WHERE a.id = row.a SET a.x = row.x", "key:a"),
        ("MATCH (a:A {id: row.a}) CREATE (b:B {id: row.b}) MERGE (a)-[:T]->(b)", "any"),
        ("MATCH (a:A {id: row.a}) WHERE a.age < row.age SET a.seen = true, a.n = a.n + 1", "key:a"),
        ("MATCH (a:A {id: row.a}) CREATE (:Log {n: a.count}) SET a += {seen: row.x}", "key:a"),
    ],
)
def test_rows_that_cannot_meet_may_be_spread(body: str, wanted: str) -> None:
    assert spread(body) == wanted


@pytest.mark.parametrize(
    "body",
    [
        "MATCH (a:A {id: row.parent}) CREATE (:A {id: row.id})-[:OF]->(a)",  # a row made earlier
        "MATCH (a {id: row.parent}) CREATE (:B {id: row.id})-[:OF]->(a)",  # perhaps a row made earlier
        "OPTIONAL MATCH (a:A {id: row.parent}) CREATE (:B {id: row.id})",
        "MERGE (a:P {id: row.a}) MERGE (b:P {id: row.b}) MERGE (a)-[:KNOWS]->(b)",
        "MERGE (a:A {id: row.a}) MERGE (b:B {id: row.b})",  # no column in which all rows that can meet agree
        "MERGE (n:L {id: toInteger(row.id)})",  # '1' and '01' are one key
        "MERGE (n:L {id: $p1}) SET n.x = row.x",
        "MERGE (n {id: row.id})",
        "MERGE (n:L {id: row.id}) SET n.id = row.other",
        "MERGE (n:L {code: row.id}) SET n += row",
        "MERGE (n:L {id: row.code, code: row.id}) SET n += row",
        "MERGE (n:L {id: row.id}) SET n = row",
        "MERGE (n:L {id: row.id}) SET n:M MERGE (m:M {id: row.id})",
        "MATCH (m:M {id: row.m}) SET m.total = m.total + row.x, m.name = row.name WITH m RETURN m",
        "MATCH (m:M {id: row.k}), (x:N {code: row.k}) SET m.v = 1, x.v = 2",
        "MATCH (m:M {id: row.k}), (x:N {code: row.k}) SET m.v = x.v",
        "MATCH (a:A {id: row.a})-[:T]->(b:B) SET b.x = row.x",
        "MATCH (a:A {id: row.a}) WHERE NOT (a)-[:T]->() CREATE (:B {x: row.x})-[:T]->(a)",
        "MATCH (a:A) WHERE row.x = 1 OR a.id = row.a SET a.x = row.x",
        "MATCH (a:A {id: row.a}) CREATE (:B {n: COUNT { (a)--() }})-[:T]->(a)",
        "MATCH (a:A {id: row.a}) CREATE (:B {n: size([(a)-[:T]->(x) | x])})-[:T]->(a)",
        "MATCH (a:A {id: row.a}) CREATE (:B {n: apoc.node.degree(a)})",
        "MATCH (a:A {id: row.a}), (b:A {id: row.b}) MERGE (a)-[:T]-(b)",
        "MATCH (a:A {id: row.a}), (b:B {id: row.b}) MERGE (a)-[:T]->(b) MERGE (b)-[:T]->(a)",
        "MATCH (a:A {id: row.a}) MERGE (a)-[:T]->(:B {id: row.b})",
        "MATCH (a:A {id: row.a}) DELETE a",
        "MATCH (a:A {id: row.a}) CALL (a) { MERGE (:X) }",
        "UNWIND row.tags AS tag MERGE (:Tag {name: tag})",
        "MATCH (a:A|B {id: row.a}) SET a.x = 1",
        "CREATE (:P $map)",
        "FOREACH (x IN row.list | CREATE (:P {x: x}))",
        # what it reads outside SET is read for all rows of a batch before the first of them sets it
        "MATCH (p:Person {id: row.id}) WHERE p.age < row.age SET p.age = row.age",
        "MATCH (p:Person {id: row.id}) WHERE p.done IS NULL CREATE (:Log {id: row.id}) SET p.done = true",
        "MATCH (p:Person {id: row.id}) CREATE (:Log {n: p.count}) SET p.count = p.count + 1",
        "MATCH (p:Person {id: row.id}) CREATE (:Log {n: p.count}) SET p += {count: row.n}",
        "MATCH (p:Person {id: row.id}) MATCH (q:Q {id: p.of}) SET p.of = row.of",
        "MATCH (p:Person {id: row.id}), (q:Q {id: row.id}) MERGE (p)-[:T {w: p.w}]->(q) SET p.w = row.w",
        "MERGE (p:Person {id: row.id}) CREATE (:Log {was: p.name}) SET p += row",
        "MERGE (p:Person {id: row.id}) ON MATCH SET p.name = row.name CREATE (:Log {was: p.`name`})",
        "MATCH (p:Person {id: row.id}) CREATE (l:Log {was: p.name}) SET l = row",
        "MATCH (p:Person) WHERE CASE WHEN row.f AND p.id = row.id AND row.g THEN true END SET p.x = row.x",
    ],
)
def test_what_may_depend_on_earlier_rows_stays_in_order(body: str) -> None:
    assert spread(body) == "kept"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("MATCH (a:A {id: row.a}) CREATE (a)-[:T]->(:B)", True),
        ("MATCH (a:A {id: row.a}) MERGE (a)-[:T]->(:B) SET a.x = row.x ENDS WITH 'x'", True),
        ("MERGE (a:A {id: row.a}) SET a.x = row.x", False),
        ("CREATE (a:A {id: row.a})", False),
        ("MATCH (a:A {id: row.a}) DETACH DELETE a", True),
        ("CREATE (a:A) WITH a, row SET a.x = row.x", False),
        ("CREATE (a:A) RETURN a", False),
        ("MERGE (a:A {id: row.a}) WITH * MATCH (b:B) CREATE (a)-[:T]->(b)", False),
        ("MATCH (a:A {id: row.a})", False),
        ("", False),
    ],
)
def test_rows_are_counted_where_they_stay_in_sight(body: str, wanted: bool) -> None:
    assert countable(clauses(lexemes(body))) is wanted


ONE_ID = {("A", frozenset({"id"})), ("B", frozenset({"id"}))}


@pytest.mark.parametrize(
    ("body", "relationships"),
    [
        ("MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) CREATE (a)-[:T]->(b)", 1),
        ("MATCH (a:A {id: row.a}), (b:B:C {id: row.b, x: 1}) CREATE (a)-[:T]->(b), (b)<-[:U]-(:D)", 2),
        ("MATCH (a:A {id: row.a}) WHERE a.x > 1 CREATE (a)-[t:T]->(b:B {id: 1}) SET t.x = row.x", 1),
        ("MATCH (a:A {id: row.a}) MATCH (a) CREATE (a)-[:T]->(a)", 1),
        # one row may make it more than once, or never all of it
        ("MATCH (a:A) CREATE (a)-[:T]->(:B)", None),
        ("MATCH (a:A {name: row.a}) CREATE (a)-[:T]->(:B)", None),
        ("MATCH (a:C {id: row.a}) CREATE (a)-[:T]->(:B)", None),
        ("MATCH (a:A {id: row.a})-[:T]->(b) CREATE (a)-[:U]->(b)", None),
        ("MATCH (a:A|C {id: row.a}) CREATE (a)-[:T]->(:B)", None),
        ("MATCH (a:A {id: row.a}) CREATE (a)-[:T]->(b:B) MATCH (c:A {id: row.c}) SET b.c = c.id", None),
        ("MATCH (a:A {id: row.a}) CREATE (:B)", None),
        ("MATCH (a:A {id: row.a}) MERGE (a)-[:T]->(:B)", None),
        ("OPTIONAL MATCH (a:A {id: row.a}) CREATE (a)-[:T]->(:B)", None),
        ("MATCH (a:A {id: row.a}) UNWIND [1, 2] AS i CREATE (a)-[:T]->(:B)", None),
    ],
)
def test_counters_tell_of_each_row_where_it_finds_one_node_at_most(
    body: str, relationships: int | None
) -> None:
    reach = reach_of(clauses(lexemes(body)))
    told = reach is not None and reach.is_told_by_counters(ONE_ID)
    assert (reach.relationships if reach and told else None) == relationships


VALUES = st.lists(st.text(max_size=300) | st.integers() | st.none() | st.dates(), max_size=4)


@given(st.lists(VALUES, max_size=300), st.integers(1, 100), st.integers(1, 3000), st.data())
def test_a_cut_begun_again_at_a_border_finds_the_same_blocks(
    rows: list[list[object]], most: int, most_bytes: int, data: st.DataObject
) -> None:
    whole = list(blocks(iter(rows), most=most, most_bytes=most_bytes))
    assert [row for block in whole for row in block.items] == rows
    assert all(len(block.items) <= most for block in whole)
    at = data.draw(st.integers(0, len(whole)))
    start = whole[at].start if at < len(whole) else len(rows)
    assert (
        list(blocks(iter(rows[start:]), most=most, most_bytes=most_bytes, start=start, number=at))
        == whole[at:]
    )


def test_heavy_rows_make_small_blocks() -> None:
    rows = iter([["x" * 1000]] * 100)
    assert max(len(block.items) for block in blocks(rows, most=1000, most_bytes=10_000)) <= 12
    assert weight([["ü" * 10]]) < weight([["ü" * 100, datetime.date(2026, 1, 1)]])


def deal(rows: list[object], by: Spread, lanes: int, columns: list[str] | None) -> dict[int, list[object]]:
    found: dict[int, list[object]] = {}
    split = splitter(by, columns, lanes)
    for block in blocks(iter(rows), most=7, most_bytes=10**6):
        for lane, here in split(block):
            found.setdefault(lane, []).extend(here)
    return found


def test_equal_keys_share_a_lane_in_their_order() -> None:
    keys = ["a", "b", 1, 1.0, "1", None, True, 2.5, "ü", datetime.date(2026, 1, 1)]
    rows: list[object] = [[n, key] for n in range(20) for key in keys]
    found = deal(rows, Spread("key", "key"), 3, ["n", "key"])
    for key in keys:
        lanes = [
            lane
            for lane, here in found.items()
            if any(row[1] == key and type(row[1]) is type(key) for row in here)
        ]  # type: ignore[index]
        assert len(lanes) == 1
    for here in found.values():
        assert [row[0] for row in here] == sorted(row[0] for row in here)  # type: ignore[index]
    split = splitter(Spread("key", "key"), ["key"], 8)
    [(one, _)] = split(Block(0, 0, 1, [[1]], 1))
    [(same, _)] = split(Block(0, 0, 1, [[1.0]], 1))
    assert one == same


def test_blocks_are_dealt_in_turn_or_kept() -> None:
    rows: list[object] = list(range(50))
    assert deal(rows, ANY, 2, None)[1] == [*range(7, 14), *range(21, 28), *range(35, 42), 49]
    assert deal(rows, KEPT, 1, None) == {0: rows}
    maps: list[object] = [{"id": n} for n in range(100)]
    assert sum(map(len, deal(maps, Spread("key", "id"), 2, None).values())) == 100
    for each in (Spread("key", "a b"), Spread("key", "3:a"), Spread("near", "a:b", 2), Spread("near")):
        assert Spread.parse(each.text) == each


def test_neighbours_share_a_lane_as_far_as_both_lanes_stay_busy() -> None:
    def fitted(keys: Iterable[object]) -> str:
        return Spread("near", "id", 3).fitted([[key] for key in keys], ["id"]).text

    assert fitted(f"exp-{n}" for n in range(10_000)) == "near3:id"
    assert fitted(range(10_000)) == "near3:id"
    assert fitted(f"{n}" for n in range(500)) == "near2:id"
    assert fitted(f"p{n % 10}" for n in range(1000)) == "key:id"
    assert fitted([None] * 10) == "key:id"
    found = deal([[f"exp-{n}"] for n in range(20_000)], Spread("near", "id", 3), 2, ["id"])
    assert min(map(len, found.values())) > 7_000
    lanes = [
        {key[:-3] for (key,) in rows if len(key) > 7}  # type: ignore[misc,has-type]
        for rows in found.values()
    ]
    assert not lanes[0] & lanes[1]


def test_the_pace_follows_the_time_within_its_limits() -> None:
    pace = Pace(1000, 5000, 0.5)
    for _ in range(20):
        pace.took(pace.rows, pace.rows / 100_000)
    assert pace.rows == 5000
    for _ in range(20):
        pace.took(pace.rows, pace.rows / 1000)
    assert 300 < pace.rows < 700
    before = pace.rows
    pace.took(1, 0.001)
    assert pace.rows == before


def test_a_batch_that_met_a_conflict_runs_alone() -> None:
    turns = Turns()
    running: list[int] = []
    together: list[int] = []
    mutex = threading.Lock()

    def batch(attempt: int) -> None:
        with turns.turn(attempt):
            with mutex:
                running.append(attempt)
                together.append(len(running))
                if attempt:
                    assert len(running) == 1
            time.sleep(0.01)
            with mutex:
                running.remove(attempt)

    threads = [threading.Thread(target=batch, args=(n % 5 == 4,)) for n in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert max(together) > 1
    assert not running


def test_a_stopped_inbox_lets_everybody_go() -> None:
    inbox = Inbox(2, 1000)
    inbox.put(0, Piece([1, 2, 3], 0, 0, 3, 10))
    blocked: list[str] = []

    def put() -> None:
        with pytest.raises(Stopped):
            inbox.put(0, Piece([4], 1, 3, 4, 10))
        blocked.append("put")

    thread = threading.Thread(target=put)
    thread.start()
    thread.join(0.1)
    assert not blocked
    inbox.stop()
    thread.join(30)
    assert blocked == ["put"]
    with pytest.raises(Stopped):
        inbox.take(1, 5)
