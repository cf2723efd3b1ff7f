"""Whether a statement may reach nodes of any label."""

import doctest

import pytest

from graphmigrate.cypher import clauses
from graphmigrate.cypher.clauses import judge, reads_nodes


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(clauses).failed == 0


ANY = [
    # a node without a label, on its own
    "MATCH (n) SET n = {}",
    "MATCH (n) WHERE n.key IS NOT NULL SET n.code = n.key REMOVE n.key",
    "MATCH (n) REMOVE n:$(labels(n))",
    "MATCH (n) REMOVE n.version",
    "MATCH (n) SET n:Searchable",
    "MATCH (a), (b) WHERE a.version = b.version AND elementId(a) < elementId(b) MERGE (a)-[:SAME]->(b)",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n {key: 'x'}) SET n.x = 1",
    "MATCH () RETURN 1",
    "match(n)set n.x=1",
    "MATCH ((n)) SET n.x = 1",
    "MATCH (n:User), (m) SET m.x = 1",
    "OPTIONAL MATCH (n) SET n.x = 1",
    "MATCH (n $props) SET n.x = 1",
    "MATCH (n WHERE n.key = 'x') SET n.x = 1",
    "MATCH /* (n:User) */ (n) // n:User\n SET n.x = 1",
    "M\\u0041TCH (n) SET n.x = 1",
    "CYPHER 5 runtime=slotted MATCH (n) SET n.x = 1",
    "EXPLAIN MATCH (n) SET n.x = 1",
    "USE neo4j MATCH (n) SET n.x = 1",
    "MERGE (n {id: 1})",
    "MERGE (n) SET n.x = 1",
    "CREATE (a:P) WITH a MATCH (n) SET n.x = 1",
    "WITH 1. MATCH (n) SET n.x = 1",
    # label expressions that are no positive label
    "MATCH (n:!User) SET n.x = 1",
    "MATCH (n:!!User) SET n.x = 1",
    "MATCH (n:%) SET n.x = 1",
    "MATCH (n:User|%) SET n.x = 1",
    "MATCH (n:User|!Admin) SET n.x = 1",
    "MATCH (n:$('User')) SET n.x = 1",
    "MATCH (n:$any($labels)) SET n.x = 1",
    "MATCH (n IS NOT LABELED) SET n.x = 1",
    "MATCH (n) WHERE n IS LABELED SET n.x = 1",
    # conditions that do not demand a label
    "MATCH (n) WHERE NOT n:User SET n.x = 1",
    "MATCH (n) WHERE n:User OR n.x = 1 SET n.x = 1",
    "MATCH (n) WHERE n:User XOR n:Admin SET n.x = 1",
    "MATCH (n) WHERE n:!User SET n.x = 1",
    "MATCH (n) WHERE n:User = false SET n.x = 1",
    "MATCH (n) WHERE any(x IN [1] WHERE n:User) SET n.x = 1",
    "MATCH (n) WHERE CASE WHEN true AND n:User AND true THEN true ELSE true END SET n.x = 1",
    "MATCH (n) WITH n WHERE n:User SET n.x = 1",
    "MATCH (n) WHERE elementId(n) = '4:x:0' SET n.x = 1",
    # relationships that need no hop
    "MATCH (n)-[*0..]-(m) SET n.x = 1",
    "MATCH (n)-[*0]-(m) SET n.x = 1",
    "MATCH (n)-[:R*0..3]->(m:User) SET n.x = 1",
    "MATCH (n)-[:R]->{0,}(m) SET n.x = 1",
    "MATCH (n)-[:R]->*(m) SET n.x = 1",
    "MATCH (n)-->{,3}(m) SET n.x = 1",
    "MATCH (n) ((a)-[:R]->(b)){0,3} (m) SET n.x = 1",
    "MATCH p = shortestPath((n)-[*0..1]-(m)) SET n.x = 1",
    # scopes
    "MATCH (n:User) WITH 1 AS x MATCH (n) SET n.x = 1",
    "MATCH (n:User) RETURN n UNION MATCH (n) RETURN n",
    "MATCH (n:User) CALL { MATCH (n) SET n.x = 1 }",
    "MATCH (n:User) CALL () { MATCH (n) SET n.x = 1 }",
    "MATCH (n:User) CALL (*) { WITH 1 AS x MATCH (m) SET m.x = 1 }",
    "MATCH (n) WHERE NOT n:User CALL (n) { DETACH DELETE n } IN TRANSACTIONS",
    "CALL { MATCH (n) RETURN n } SET n.x = 1",
    "MATCH (u:User) WHERE EXISTS { (n) } SET u.x = 1",
    "MATCH (u:User) WHERE COUNT { MATCH (n) RETURN n } > 1 SET u.x = 1",
    "FOREACH (n IN COLLECT { MATCH (n) RETURN n } | SET n.x = 1)",
    "MATCH (u:User) FOREACH (n IN [(a)-[*0..]-(b) | b] | SET n.x = 1)",
    "MATCH (u:User) FOREACH (n IN [p = (a)-[*0..]-() | a] | SET n.x = 1)",
    "WITH [(a)-[*0..]-(b) WHERE b:A|!C | b] AS l UNWIND l AS n SET n.x = 1",
    "FOREACH (x IN [1] | MERGE (n {id: x}))",
    "UNWIND $rows AS row MATCH (n {id: row.id}) SET n += row",
    "LOAD CSV WITH HEADERS FROM 'x' AS row MATCH (n {id: row.id}) SET n.x = 1",
    "CALL db.labels() YIELD label MATCH (n) SET n.x = label",
    # procedures and texts
    "CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'SET n.x = 1', {})",
    "CALL apoc.periodic.iterate('MATCH (n:User) RETURN n', 'MATCH (m) SET m.x = 1', {})",
    "CALL apoc.periodic.iterate('MATCH (n:' + $label + ') RETURN n', 'SET n.x = 1', {})",
    "CALL apoc.periodic.iterate($a, $b, {})",
    "CALL apoc.periodic.iterate",
    "CALL apoc.periodic.iterate('M\\\\u0041TCH (n) RETURN n', 'SET n.x = 1', {})",
    'CALL apoc.periodic.commit("MATCH (n) WITH n LIMIT 10 DETACH DELETE n RETURN count(*)")',
    "CALL apoc.periodic.submit('name', 'MATCH (n) SET n.x = 1')",
    "CALL apoc.periodic.truncate({})",
    "CALL apoc.cypher.doIt('MATCH (n) SET n.x = 1', {})",
    "CALL apoc.cypher.runMany('MATCH (n:A) SET n.x = 1; MATCH (n) SET n.x = 1', {})",
    "CALL apoc.cypher.runFile('file.cypher')",
    "CALL apoc.do.when(true, 'SET n.x = 1', 'MATCH (n) SET n.x = 1', {})",
    "CALL apoc.do.case([true, 'MATCH (n) SET n.x = 1'], '', {})",
    "RETURN apoc.cypher.runFirstColumnSingle('MATCH (n) RETURN n', {})",
    "RETURN gds.util.asNode(0)",
    "CALL apoc.nodes.get([0, 1]) YIELD node SET node.x = 1",
    "CALL apoc.nodes.delete([0], 10)",
    "CALL apoc.refactor.rename.nodeProperty('key', 'code')",
    "CALL apoc.refactor.rename.label($old, $new)",
    "UNWIND $rows AS row CALL apoc.merge.node([row.label], {id: row.id}) YIELD node RETURN count(*)",
    "CALL apoc.merge.node([], {id: 1}, {}, {}) YIELD node RETURN count(*)",
    "CALL gds.pageRank.write('g', {writeProperty: 'x'})",
    "CALL my.own.procedure()",
    # not understood
    "WHEN true THEN MATCH (n) SET n.x = 1",
    "{ MATCH (n:User) RETURN n } NEXT MATCH (n) SET n.x = 1",
    "MATCH (n:User) SEARCH n IN (VECTOR INDEX i FOR $v LIMIT 5) SET n.x = 1",
    "MATCH (n:User SET n.x = 1",
    "MATCH (n:User)(m) SET m.x = 1",
    "MATCH (n:User) WHERE n.x = {a: [MATCH (m)]} SET n.x = 1",
]

LABELLED = [
    "MATCH (n:User) SET n = {}",
    "MATCH (n:User|Admin) SET n.x = 1",
    "MATCH (n:User&!Admin) SET n.x = 1",
    "MATCH (n:User:Admin) SET n.x = 1",
    "MATCH (n IS User) SET n.x = 1",
    "MATCH (n:(User|Admin)&!Guest) SET n.x = 1",
    "MATCH (n:User {id: 1} WHERE n.x > 1) SET n.x = 1",
    "MATCH (n) WHERE n:User SET n.x = 1",
    "MATCH (n WHERE n:User) SET n.x = 1",
    "MATCH (n) WHERE (n:User) AND n.x = 1 SET n.x = 1",
    "MATCH (n) USING SCAN n:User WHERE n:User SET n.x = 1",
    "MATCH (n)--(m) SET n.x = 1",
    "MATCH (n)-[r]->() DELETE r",
    "MATCH ()-[r:R]->() SET r.x = 1",
    "MATCH (n)-[*]-(m) SET n.x = 1",
    "MATCH (n)-[*1..3]-(m) SET n.x = 1",
    "MATCH (n)-[:R]->+(m) SET n.x = 1",
    "MATCH (x) ((a)-[:R]->(b)){1,3} (y) SET x.x = 1",
    "MATCH p = shortestPath((a:User)-[*]-(b:User)) SET a.x = 1",
    "MATCH SHORTEST 1 (a)-[:R]->+(b) SET a.x = 1",
    "MATCH (n:User), (n) SET n.x = 1",
    "MATCH (n:User) MATCH (n) SET n.x = 1",
    "MATCH (n:User) WITH n AS m MATCH (m) SET m.x = 1",
    "MATCH (n:User) WITH * MATCH (n) SET n.x = 1",
    "MATCH (n:User) CALL (n) { MATCH (n) SET n.x = 1 }",
    "MATCH (n:User) CALL { WITH n MATCH (n)-->(m) SET m.x = 1 }",
    "CALL { MATCH (n:User) RETURN n } MATCH (n) SET n.x = 1",
    "MATCH (n:User) CALL (n) { DETACH DELETE n } IN 4 CONCURRENT TRANSACTIONS OF 10 ROWS REPORT STATUS AS s RETURN s",
    "MATCH (n:User) WHERE NOT EXISTS { (n)-->(:Admin) } SET n.x = 1",
    "MATCH (n:User) WHERE EXISTS { MATCH (n) WHERE n.x = 1 } SET n.x = 1",
    "MATCH (n:User) SET n.x = COUNT { (n)--() }, n.y = [(n)-->(m) WHERE m.x = 1 | m.y]",
    "MATCH (n:User) SET n.l = [x IN [1, 2] WHERE x > 1 | x], n.m = [(1 + 2) * 3, 4], n.o = {match: 1, call: 2}",
    "MATCH (n:User) FOREACH (m IN collect(n) | SET m.x = 1)",
    "MATCH (n:User) RETURN n.match, n.call AS merge",
    "CREATE (n {id: 1})-[:R]->(m) SET n.x = 1",
    "CREATE (n:User) MERGE (n)-[:R]->(m {id: 1})",
    "MATCH (a:P), (b:P) WHERE elementId(a) < elementId(b) MERGE (a)-[:SAME]->(b)",
    "MERGE (n:User {id: 1}) ON CREATE SET n.x = 1 ON MATCH SET n.x = 2",
    "MERGE (a:User {id: 1})-[:R]->(b)",
    "UNWIND $rows AS row MERGE (n:User {id: row.id}) SET n += row",
    "UNWIND $rows AS row MATCH (a:A {id: row.a}) MATCH (b:B {id: row.b}) MERGE (a)-[r:R]->(b) SET r.x = row.x",
    "LOAD CSV WITH HEADERS FROM 'x' AS row FIELDTERMINATOR ';' CREATE (:User {id: row.id})",
    "FOREACH (x IN range(1, 3) | MERGE (:User {id: x}))",
    "CREATE CONSTRAINT c FOR (n:User) REQUIRE n.id IS UNIQUE",
    "SHOW INDEXES YIELD name RETURN count(*)",
    "CALL db.index.fulltext.queryNodes('i', 'x') YIELD node, score SET node.x = score",
    "CALL apoc.load.json('x') YIELD value MERGE (:User {id: value.id})",
    "CALL db.awaitIndexes(300)",
    "CALL apoc.periodic.iterate('MATCH (n:User) RETURN n', 'SET n.x = 1', {batchSize: 10})",
    "CALL apoc.periodic.iterate('MATCH (n:User) RETURN n', 'WITH n MATCH (n) SET n.x = 1', {})",
    "CALL apoc.cypher.runMany('MATCH (n:A) SET n.x = 1; CREATE (:B);', {})",
    "CALL apoc.do.when(true, 'SET n.x = 1', 'SET n.x = 2', {n: 1})",
    "CALL apoc.refactor.rename.label('Old', 'New')",
    "UNWIND $rows AS row CALL apoc.merge.node(['A'], {id: row.id}, row, row) YIELD node RETURN count(*)",
    "CALL gds.pageRank.mutate('g', {mutateProperty: 'x'})",
    "LET x = 1 MATCH (n:User) FILTER n.x = x SET n.y = 1",
    "MATCH (n:User) RETURN n NEXT MATCH (n) SET n.x = 1",
    "MATCH (n:User) RETURN 'MATCH (n) DETACH DELETE n' AS text",
    "RETURN 1",
    "",
]


@pytest.mark.parametrize("text", ANY)
def test_statements_that_may_reach_nodes_of_any_label(text):
    assert judge(text).reaches
    assert judge(text).needs_guard
    assert judge(text).refused


@pytest.mark.parametrize("text", LABELLED)
def test_statements_that_do_not(text):
    assert judge(text).reaches == ()
    assert not judge(text).needs_guard


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 1",
        "MATCH (n:!__GraphMigrate) SET n.x = 1",
        "MATCH (n:`__GraphMigrate`) SET n.x = 1",
        "MATCH (n:\\u005f_GraphMigrate) SET n.x = 1",
        "MATCH (n) WHERE none(l IN labels(n) WHERE l STARTS WITH '__GraphMigrate') DETACH DELETE n",
        "CALL apoc.periodic.iterate('MATCH (n) WHERE NOT n:__GraphMigrate RETURN n', 'SET n.x = 1', {})",
    ],
)
def test_a_statement_that_names_our_label_is_taken_at_its_word_and_compared_afterwards(text):
    assert judge(text).names_ours
    assert judge(text).needs_guard
    assert not judge(text).refused


def test_a_comment_names_nothing():
    assert judge("MATCH (n) /* __GraphMigrate */ SET n.x = 1").refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MATCH (n) SET n.x = 1", "MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 1"),
        (
            "MATCH (n) WHERE n.x = 1 SET n.y = 1",
            "MATCH (n) WHERE NOT n:__GraphMigrate AND (n.x = 1) SET n.y = 1",
        ),
        (
            "MATCH (a), (b {x: 1})\nWHERE a.x OR b.x // why\nDELETE a",
            "MATCH (a), (b {x: 1})\nWHERE NOT a:__GraphMigrate AND NOT b:__GraphMigrate AND (a.x OR b.x) // why\nDELETE a",
        ),
        (
            "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS",
            "MATCH (n) WHERE NOT n:__GraphMigrate CALL (n) { DETACH DELETE n } IN TRANSACTIONS",
        ),
        (
            "CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'SET n.x = 1', {})",
            "CALL apoc.periodic.iterate('MATCH (n) WHERE NOT n:__GraphMigrate RETURN n', 'SET n.x = 1', {})",
        ),
        ("MATCH (`a b`) SET `a b`.x = 1", "MATCH (`a b`) WHERE NOT `a b`:__GraphMigrate SET `a b`.x = 1"),
        (
            "MATCH (u:User) WHERE EXISTS { (n) } SET u.x = 1",
            "MATCH (u:User) WHERE EXISTS { (n) WHERE NOT n:__GraphMigrate } SET u.x = 1",
        ),
        (
            "MATCH (n) SET n.x = 1 WITH n MATCH (m) SET m.x = 2",
            "MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 1 WITH n MATCH (m) WHERE NOT m:__GraphMigrate SET m.x = 2",
        ),
        ("MATCH () RETURN 1", None),
        ("MERGE (n {id: 1})", None),
        ("CALL my.own.procedure()", None),
        ("MATCH (n:User) SET n.x = 1", None),
    ],
)
def test_the_statement_with_the_clause_that_leaves_ours_out(text, expected):
    found = judge(text)
    assert found.excluding_ours == expected
    if expected is not None:
        assert not judge(expected).refused


def test_the_place_is_that_of_the_pattern():
    text = "MATCH (u:User)\nMATCH (n {x: 1}) SET n.y = 1"
    (reach,) = judge(text).reaches
    assert text[reach.start : reach.end] == "(n {x: 1})"


def test_a_big_statement_without_reading_clauses_costs_little():
    text = "CREATE " + ", ".join(f"(:A {{id: {number}, l: [1, 2]}})" for number in range(100_000))
    assert judge(text).reaches == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE (:A {id: 1})", False),
        ("UNWIND $rows AS row CREATE (:A {id: row.id})", False),
        ("MATCH (n:A) SET n.x = 1", True),
        ("merge (n:A {id: 1})", True),
        ("CREATE (a:A) WITH a SET a.n = size([(a)-->(b) | b])", True),
        (r"M\u0041TCH (n:A) DELETE n", True),
    ],
)
def test_what_finds_nodes(text, expected):
    assert reads_nodes(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (a:A {id: 1}) MATCH (b:B {id: 2}) CALL apoc.create.relationship(a, 'T', {}, b) YIELD rel RETURN rel",
        "MATCH (a:A), (b:B) CALL apoc.merge.relationship(a, 'T', {}, {}, b) YIELD rel RETURN count(*)",
        "CALL apoc.create.node(['A'], {id: 1}) YIELD node RETURN count(*)",
    ],
)
def test_procedures_that_make_what_is_new_reach_nothing_else(text):
    assert not judge(text).reaches
    assert judge(text.replace("(a:A", "(a")).reaches or "(a:A" not in text
