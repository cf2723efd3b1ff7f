"""Random statements: where the judge says that a statement reaches none of ours, it leaves them as they are, without a guard."""

from __future__ import annotations

import neo4j
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from graphmigrate.cypher.clauses import judge
from graphmigrate.database.guard import read_ours

LABELS = ["", "", ":P", ":Q", ":P|Q", ":!P", ":%", ":P&!Q", ":!Q&!P", ":$('P')", ":P|%", " IS Q", ":!!P"]
HOPS = [
    "-->",
    "<--",
    "--",
    "-[:R]->",
    "-[*0..2]-",
    "-[*1..2]-",
    "-[*0]-",
    "-[r]-",
    "-[:R]->{0,2}",
    "-->+",
    "-->*",
]
NAMES = ["n", "m", "x"]

name = st.sampled_from(NAMES)
node = st.builds(
    lambda variable, labels, more: f"({variable}{labels}{more})",
    st.sampled_from([*NAMES, "n", ""]),
    st.sampled_from(LABELS),
    st.sampled_from(["", "", "", " {id: 1}", " WHERE n:P", " WHERE n.id = 1"]),
)
path = st.one_of(
    node,
    node,
    st.builds(lambda a, hop, b: f"{a}{hop}{b}", node, st.sampled_from(HOPS), node),
    st.builds(
        lambda a, group, b: f"{a} {group} {b}",
        node,
        st.sampled_from(["((k)-->(l)){0,2}", "((k)-->(l))+"]),
        node,
    ),
)
pattern = st.lists(path, min_size=1, max_size=2).map(", ".join)
condition = st.builds(
    lambda template, a, labels, inner: template.format(n=a, labels=labels or ":Q", inner=inner),
    st.sampled_from(
        [
            *("{n}{labels}", "NOT {n}{labels}", "{n}:P AND {n}.id = 1", "{n}:P OR {n}.id IS NULL", "({n}:P)"),
            *(
                "EXISTS {{ {inner} }}",
                "COUNT {{ MATCH {inner} RETURN 1 }} > 0",
                "{n} IS NOT NULL",
                "{n}.key IS NOT NULL",
            ),
            "CASE WHEN true AND {n}:P AND true THEN true ELSE true END",
        ]
    ),
    name,
    st.sampled_from(LABELS),
    path,
)
where = st.one_of(st.just(""), condition.map(lambda text: f" WHERE {text}"))
match = st.builds(
    lambda word, paths, filtered: f"{word} {paths}{filtered}",
    st.sampled_from(["MATCH", "MATCH", "OPTIONAL MATCH"]),
    pattern,
    where,
)
write = st.builds(
    lambda template, a, b: template.format(a=a, b=b),
    st.sampled_from(
        [
            *(
                "SET {a}.touched = 1",
                "SET {a}:Touched",
                "REMOVE {a}.key",
                "SET {a} += {{key: null}}",
                "DETACH DELETE {a}",
            ),
            *(
                "CREATE ({a})-[:T]->({b})",
                "MERGE ({a})-[:T]->({b})",
                "FOREACH (k IN [{a}] | SET k.touched = 1)",
            ),
            "FOREACH (k IN [(p)-[*0..1]-(q) | q] | SET k.touched = 1)",
            "FOREACH (k IN COLLECT {{ MATCH ({a}) RETURN {a} }} | SET k.touched = 1)",
            "CALL ({a}) {{ MATCH ({b}) SET {b}.touched = 1 }}",
            "CALL {{ MATCH ({b}:P) RETURN {b} AS z }} SET z.touched = 1",
        ]
    ),
    name,
    name,
)
middle = st.one_of(
    match,
    write,
    name.map(lambda a: f"WITH {a}"),
    st.builds(lambda a, b: f"WITH {a} AS {b}", name, name),
    st.just("WITH *"),
    st.just("WITH 1 AS one"),
    st.builds(lambda a, labels: f"MERGE ({a}{labels} {{id: 7}})", name, st.sampled_from(["", ":P"])),
)
statement = st.builds(
    lambda first, others, last: " ".join([first, *others, last]), match, st.lists(middle, max_size=3), write
)


def test_what_is_said_to_reach_none_of_ours_leaves_them_as_they_are(ledger_ready: neo4j.Driver) -> None:
    ledger_ready.execute_query(
        "CREATE (:P {id: 1})-[:R]->(:Q {id: 2})-[:R]->(:P:Q {id: 3}) CREATE ({id: 4}) WITH 1 AS one UNWIND range(1, 2) AS i"
        " CREATE (:__GraphMigrate:__GraphMigrateMigration {key: 'default/migration/' + i, version: '1', id: i})"
    )
    ran = []

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(statement)
    def check(text: str) -> None:
        found = judge(text)
        event(f"reaches: {bool(found.reaches)}")
        if found.reaches:
            return
        try:
            with ledger_ready.session() as session, session.begin_transaction() as tx:
                before = read_ours(tx, "default")
                tx.run(text).consume()
                after = read_ours(tx, "default")
                tx.rollback()
        except neo4j.exceptions.Neo4jError:
            return
        ran.append(text)
        assert after == before, text

    check()
    assert len(ran) > 20
