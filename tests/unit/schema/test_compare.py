"""What DDL does to a catalogue, and what became of a segment of a run that died."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.compare import Fate, apply, conflict, fate, fault, holds, outcome, refused
from graphmigrate.schema.model import CatalogueEntry
from graphmigrate.schema.reader import read_ddl

EMPTY = Catalogue()


def ddl(text):
    action = read_ddl(text)
    assert action is not None, text
    return action


def all_ddl(*texts):
    return [ddl(text) for text in texts]


def catalogue(*texts):
    actions = all_ddl(*texts)
    assert not refused(actions, EMPTY)
    return apply(actions, EMPTY)


A = "CREATE INDEX a FOR (n:L) ON (n.a)"
A_GUARDED = "CREATE INDEX a IF NOT EXISTS FOR (n:L) ON (n.a)"
A_OTHERWISE = "CREATE INDEX a FOR (n:L) ON (n.z)"
B = "CREATE CONSTRAINT b FOR (n:L) REQUIRE n.b IS UNIQUE"
B_GUARDED = "CREATE CONSTRAINT b IF NOT EXISTS FOR (n:L) REQUIRE n.b IS UNIQUE"
NAMELESS = "CREATE INDEX FOR (n:L) ON (n.n)"
DROP_A = "DROP INDEX a"
DROP_A_GUARDED = "DROP INDEX a IF EXISTS"


# before, statement, whether the server refuses it, words of our sentence
CONFLICTS = [
    ([], A, False, None),
    ([A], A_GUARDED, False, None),
    ([A], A, True, "a exists already"),
    ([A_OTHERWISE], A_GUARDED, False, "silently do nothing"),
    ([A_OTHERWISE], A, True, "The name a belongs to a range index on (:L {z})"),
    (["CREATE INDEX other FOR (n:L) ON (n.a)"], A_GUARDED, False, "exists already, as other"),
    (["CREATE INDEX other FOR (n:L) ON (n.a)"], A, True, "exists already, as other"),
    ([A], "CREATE INDEX FOR (n:L) ON (n.a)", True, "exists already, as a"),
    ([A], "CREATE INDEX IF NOT EXISTS FOR (n:L) ON (n.a)", False, None),
    ([A], "CREATE TEXT INDEX t FOR (n:L) ON (n.a)", False, None),
    ([B], "CREATE INDEX b FOR (n:L) ON (n.x)", True, "belongs to a uniqueness constraint"),
    ([B], "CREATE INDEX b IF NOT EXISTS FOR (n:L) ON (n.x)", False, "silently do nothing"),
    ([B], "CREATE INDEX i FOR (n:L) ON (n.b)", True, "Constraint b brings"),
    ([B], "CREATE INDEX i IF NOT EXISTS FOR (n:L) ON (n.b)", False, "Constraint b brings"),
    ([A], "CREATE CONSTRAINT a FOR (n:L) REQUIRE n.x IS UNIQUE", True, "belongs to a range index"),
    (
        [A],
        "CREATE CONSTRAINT a IF NOT EXISTS FOR (n:L) REQUIRE n.x IS UNIQUE",
        True,
        "belongs to a range",
    ),
    ([A], "CREATE CONSTRAINT c FOR (n:L) REQUIRE n.a IS UNIQUE", True, "stands in the way"),
    ([A], "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE n.a IS UNIQUE", True, "stands in the way"),
    ([B], B_GUARDED, False, None),
    ([B], B, True, "b exists already"),
    ([B], "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE n.b IS UNIQUE", False, "already, as b"),
    ([B], "CREATE CONSTRAINT c FOR (n:L) REQUIRE n.b IS UNIQUE", True, "already, as b"),
    ([B], "CREATE CONSTRAINT b IF NOT EXISTS FOR (n:L) REQUIRE n.x IS UNIQUE", False, "silently"),
    ([B], "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE n.b IS KEY", True, "stands in the way"),
    ([B], "CREATE CONSTRAINT c FOR (n:L) REQUIRE n.b IS NOT NULL", False, None),
    ([B], "CREATE CONSTRAINT c FOR ()-[r:L]-() REQUIRE r.b IS UNIQUE", False, None),
    ([B], "CREATE CONSTRAINT c FOR (n:L) REQUIRE (n.b, n.c) IS UNIQUE", False, None),
    ([], DROP_A, True, "no index a"),
    ([], DROP_A_GUARDED, False, None),
    ([A], DROP_A, False, None),
    ([B], "DROP INDEX b", True, "is the index of constraint b"),
    ([B], "DROP INDEX b IF EXISTS", True, "is the index of constraint b"),
    ([A], "DROP CONSTRAINT a", True, "use DROP INDEX"),
    ([A], "DROP CONSTRAINT a IF EXISTS", False, "use DROP INDEX"),
    ([], "DROP CONSTRAINT b", True, "no constraint b"),
    (
        ["CREATE CONSTRAINT e FOR (n:L) REQUIRE n.e IS NOT NULL"],
        "DROP INDEX e",
        True,
        "use DROP CONSTRAINT",
    ),
]


@pytest.mark.parametrize(("before", "statement", "refuses", "words"), CONFLICTS)
def test_conflicts_are_the_servers(before, statement, refuses, words):
    """tests/integration/test_schema_reader.py puts the same table to a real server."""
    action, there = ddl(statement), catalogue(*before)
    sentence = conflict(action, there)
    assert refused([action], there) is refuses
    assert (sentence is None) is (words is None)
    assert words is None or words in sentence
    if sentence is None:
        assert holds(action, apply([action], there))
    else:
        assert apply([action], there) == there


def test_a_property_has_one_type_constraint():
    typed = "CREATE CONSTRAINT t IF NOT EXISTS FOR (n:L) REQUIRE n.p IS :: STRING"
    assert "stands in the way" in conflict(
        ddl(typed.replace(" t ", " u ").replace("STRING", "INT")), catalogue(typed)
    )
    assert conflict(ddl(typed.replace("STRING", "VARCHAR")), catalogue(typed)) is None
    assert "silently" in conflict(ddl(typed.replace("STRING", "INT")), catalogue(typed))


def test_what_a_killed_server_left_is_no_conflict():
    left = Catalogue.of(
        [
            CatalogueEntry(
                ddl("CREATE INDEX b FOR (n:L) ON (n.b)").target, state="POPULATING", population=100.0
            )
        ]
    )
    assert conflict(ddl(B), left) is None
    assert conflict(ddl(B_GUARDED), left) is None
    assert not holds(ddl(B), left)
    assert holds(ddl(B), apply([ddl(B)], left))
    assert fate([ddl(B)], EMPTY, left) is Fate.NOT_COMMITTED
    assert fate([ddl(B)], left, left) is Fate.NOT_COMMITTED
    assert fate([ddl(B)], left, catalogue(B)) is Fate.COMMITTED


def test_outcome_is_the_last_word_on_each_name():
    actions = all_ddl(A, B, DROP_A, NAMELESS)
    assert outcome(actions) == (actions[1], actions[2], actions[3])


FATES = [
    # actions, before, now, fate
    ([A, B], [], [A, B], Fate.COMMITTED),
    ([A, B], [], [], Fate.NOT_COMMITTED),
    ([A, B], [], [A], Fate.MIXED),
    ([A, B], [], [A_OTHERWISE, B], Fate.MIXED),
    ([A], [], [A_OTHERWISE], Fate.MIXED),
    ([A], [], [A, B], Fate.COMMITTED),
    # guarded: whatever was there already says nothing, what is new decides
    ([A_GUARDED], [A], [A], Fate.COMMITTED),
    ([A_GUARDED, B], [A], [A, B], Fate.COMMITTED),
    ([A_GUARDED, B], [A], [A], Fate.NOT_COMMITTED),
    ([A_GUARDED, B_GUARDED], [A], [A], Fate.NOT_COMMITTED),
    ([A_GUARDED], [A], [], Fate.MIXED),
    ([A_GUARDED, B], [A], [B], Fate.MIXED),
    # a guarded drop of what never existed
    ([DROP_A_GUARDED], [], [], Fate.COMMITTED),
    ([DROP_A_GUARDED], [], [A], Fate.MIXED),
    ([DROP_A_GUARDED], [A], [], Fate.COMMITTED),
    ([DROP_A_GUARDED], [A], [A], Fate.NOT_COMMITTED),
    ([DROP_A], [A], [], Fate.COMMITTED),
    ([DROP_A], [A], [A], Fate.NOT_COMMITTED),
    ([DROP_A], [A], [A_OTHERWISE], Fate.MIXED),
    # the server must have refused: one of two existed before, or there was nothing to drop
    ([A, B], [A], [A], Fate.NOT_COMMITTED),
    ([A, B], [A], [A, B], Fate.MIXED),
    ([DROP_A], [], [], Fate.NOT_COMMITTED),
    # made and dropped in one transaction leaves nothing to see, and may run again
    ([A, DROP_A], [], [], Fate.NOT_COMMITTED),
    ([A_GUARDED, DROP_A_GUARDED], [], [], Fate.COMMITTED),
    ([A_GUARDED, DROP_A_GUARDED], [A], [A], Fate.NOT_COMMITTED),
    ([A_GUARDED, DROP_A_GUARDED], [A], [], Fate.COMMITTED),
    # without a name, the definition decides
    ([NAMELESS], [], ["CREATE INDEX index_12 FOR (n:L) ON (n.n)"], Fate.COMMITTED),
    ([NAMELESS], [], [A], Fate.NOT_COMMITTED),
    ([NAMELESS, A], [], ["CREATE INDEX index_12 FOR (n:L) ON (n.n)"], Fate.MIXED),
    (["CREATE CONSTRAINT FOR (n:L) REQUIRE n.b IS UNIQUE"], [], [B], Fate.COMMITTED),
    # a name that another kind of object took
    ([A], [], ["CREATE CONSTRAINT a FOR (n:L) REQUIRE n.a IS UNIQUE"], Fate.MIXED),
]


@pytest.mark.parametrize(("actions", "before", "now", "expected"), FATES)
def test_fates(actions, before, now, expected):
    assert fate(all_ddl(*actions), catalogue(*before), catalogue(*now)) is expected


def test_a_name_dropped_and_made_again_exactly_as_it_was_in_two_segments():
    first, second = all_ddl(DROP_A), all_ddl(A)
    there, gone = catalogue(A), EMPTY
    assert fate(first, there, there) is Fate.NOT_COMMITTED
    assert fate(first, there, gone) is Fate.COMMITTED
    expected = apply(first, there)  # also where the ledger has the first one's row
    assert fate(second, expected, gone) is Fate.NOT_COMMITTED
    assert fate(second, expected, there) is Fate.COMMITTED


def test_the_expected_catalogue_evolves_over_segments_already_walked():
    segments = [all_ddl(A), all_ddl(B), all_ddl(DROP_A), all_ddl(A_OTHERWISE)]
    states = list(itertools.accumulate(segments, lambda state, each: apply(each, state), initial=EMPTY))
    for committed in range(len(segments) + 1):
        now, walked = states[committed], 0
        # rows are committed before and after a segment with a DROP: only such prefixes occur
        start = 0 if committed <= 2 else committed - 1
        for number in range(start, len(segments)):
            if fate(segments[number], states[number], now) is not Fate.COMMITTED:
                break
            walked = number + 1
        assert max(walked, start) == committed


def test_the_name_of_a_nameless_index_is_known_once_it_was_read():
    made = apply(all_ddl(NAMELESS), EMPTY)
    drop = all_ddl("DROP INDEX index_12")
    now = catalogue("CREATE INDEX index_12 FOR (n:L) ON (n.n)")
    assert fate(drop, made, now) is Fate.NOT_COMMITTED
    assert fate(drop, made, EMPTY) is Fate.UNDECIDABLE


STATEMENTS = [A, A_GUARDED, B, B_GUARDED, DROP_A, DROP_A_GUARDED, NAMELESS, "DROP CONSTRAINT b IF EXISTS"]
statement_lists = st.lists(st.sampled_from(STATEMENTS), max_size=4)


def as_read(expected):
    """The same catalogue as the server would show it: with names for what was created without."""
    named = (
        replace(each, object=each.object._replace(name=each.object.name or "_".join(each.object.properties)))
        for each in (*expected.constraints.values(), *expected.indexes.values())
    )
    return Catalogue.of(named)


@given(statement_lists, statement_lists)
def test_a_segment_that_took_effect_visibly_is_committed_and_one_that_did_not_is_not(history, texts):
    before, actions = apply(all_ddl(*history), EMPTY), all_ddl(*texts)
    untouched, after = as_read(before), as_read(apply(actions, before))
    if refused(actions, before):
        assert fate(actions, before, untouched) is Fate.NOT_COMMITTED
        return
    if after != untouched:
        assert fate(actions, before, after) is Fate.COMMITTED
        assert fate(actions, before, untouched) is Fate.NOT_COMMITTED
    stored = Catalogue.from_json(before.to_json())
    assert fate(actions, stored, after) is fate(actions, before, after)


FAULTS = {
    "CREATE INDEX x FOR (n:A) ON (n.p, n.q, n.p)": "The property p is written twice here.",
    "CREATE CONSTRAINT x FOR (n:A) REQUIRE (n.p, n.p) IS UNIQUE": "The property p is written twice here.",
    "CREATE FULLTEXT INDEX x FOR (n:A|A) ON EACH [n.p]": "The label A is written twice here.",
    "CREATE INDEX `` FOR (n:A) ON (n.p)": "A name is empty here.",
    "CREATE INDEX `  ` FOR (n:A) ON (n.p)": "A name is empty here.",
    "CREATE INDEX x FOR (n:``) ON (n.p)": "A name is empty here.",
    "CREATE INDEX x FOR (n:A) ON (n.``)": "A name is empty here.",
    "DROP INDEX ``": "A name is empty here.",
    "CREATE INDEX `a\\u0000b` FOR (n:A) ON (n.p)": "A name holds the character NUL here.",
    "CREATE INDEX x FOR (n:`a\\u0000b`) ON (n.p)": "A name holds the character NUL here.",
    "CREATE VECTOR INDEX x FOR (n:A) ON (n.p) OPTIONS {indexConfig: {`vector.dimensions`: 4097}}": (
        "A vector index has 1 to 4096 dimensions, not 4097."
    ),
}


@pytest.mark.parametrize(("text", "told"), FAULTS.items())
def test_what_every_server_refuses_though_it_can_be_explained(text: str, told: str) -> None:
    action = read_ddl(text)
    assert action is not None
    assert fault(action) == told


@pytest.mark.parametrize("text", ["CREATE INDEX ` x ` FOR (n:` `) ON (n.p, n.q)", "DROP CONSTRAINT x"])
def test_what_may_be_run(text: str) -> None:
    action = read_ddl(text)
    assert action is not None
    assert fault(action) is None
