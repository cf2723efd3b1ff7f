"""Every query of docs/queries.md answers, and by the index that the page names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
MISSION = "MATCH (p:Project)-[:HAS]->(d:Dataset)\nRETURN p.name AS project_name, d.name AS dataset_name"
_SECTION = re.compile(r"^## (?P<title>.+?)$(?P<body>.+?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_QUERY = re.compile(r"<!-- index: (?P<index>\w+) -->\n```cypher\n(?P<text>.+?)\n```", re.DOTALL)


# What ran before its model or its project was there.
TOO_EARLY = """
MATCH (e:Experiment)-[:RUN]->(m:Model)<-[:HAS]-(p:Project)
WHERE e.started_at < m.created_at OR e.started_at < p.created_at AND coalesce(e.project_id, p.id) = p.id
RETURN DISTINCT e.id, m.id, p.id
"""
# docs/model.md: an experiment names its dataset where its model was trained on several, and only there.
WRONG_DATASET = """
MATCH (e:Experiment)-[:RUN]->(m:Model)
WITH e, [(m)-[:TRAINED_ON]->(d:Dataset) | d.id] AS datasets
WHERE CASE WHEN size(datasets) > 1 THEN NOT coalesce(e.dataset_id, '') IN datasets ELSE e.dataset_id IS NOT NULL END
RETURN e.id, e.dataset_id
"""


class Query(NamedTuple):
    title: str
    index: str
    text: str


def read_page() -> list[Query]:
    queries = []
    for section in _SECTION.finditer(PAGE.read_text(encoding="utf-8")):
        found = _QUERY.findall(section["body"])
        assert len(found) == section["body"].count("```cypher") == 1, section["title"]
        query = Query(section["title"], *found[0])
        assert "fulltext" not in query.text or f"queryNodes('{query.index}'" in query.text
        queries.append(query)
    return queries


QUERIES = read_page()


def seed(neo4j_target, *words):
    command = [sys.executable, "-m", "graphmigrate", "seed", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    done = subprocess.run(command, cwd=PAGE.parents[1], env=neo4j_target.env, **pipes)
    assert done.returncode == 0, done.stdout
    return done.stdout


def operators(plan):
    yield plan["operatorType"].partition("@")[0], plan["args"].get("Details", "")
    for child in plan.get("children", []):
        yield from operators(child)


def seen_in_plan(session, name: str) -> str:
    """How a plan writes that it uses this index."""
    row = session.run("SHOW INDEXES YIELD * WHERE name = $name", name=name).single(strict=True)
    if row["type"] == "FULLTEXT":
        return "db.index.fulltext.queryNodes("  # the name is a parameter in the plan; read_page has seen it in the text
    return f":{'|'.join(row['labelsOrTypes'])}({', '.join(row['properties'])})"


def test_the_page_has_the_mission_s_query_and_ten_others():
    assert MISSION in [query.text for query in QUERIES]
    assert len({query.text for query in QUERIES}) == len(QUERIES) >= 11


@pytest.mark.depends_on_version
def test_every_query_answers_by_its_index(sample_graph):
    with sample_graph.session() as session:
        # Plans follow the statistics of the indexes, which the server otherwise takes anew some time after a load.
        session.run("CALL db.prepareForReplanning()").consume()
        for query in QUERIES:
            result = session.run("PROFILE " + query.text)
            rows = [record.data() for record in result]
            assert rows, f"{query.title}: no rows"
            assert any(value not in (None, [], "") for row in rows for value in row.values()), query.title
            check_plan(session, query, list(operators(result.consume().profile)))


@pytest.mark.depends_on_version
def test_the_indexes_answer_in_a_large_graph_too(sample_graph, neo4j_target):
    """With forty times the sample, made by the seed that scales it, every plan still begins at its index."""
    seed(neo4j_target, "scale", "--set", "scale=40")
    with sample_graph.session() as session:
        counted = session.run(
            "RETURN COUNT { (:Experiment) } AS all, COUNT { (:Metric)<-[:HAS]-() } AS measured"
        )
        assert counted.single().data() == {"all": 55 * 40, "measured": 172 * 40}
        assert session.run(TOO_EARLY).values() == []
        session.run("CALL db.prepareForReplanning()").consume()
        for query in QUERIES:
            check_plan(session, query, list(operators(session.run("EXPLAIN " + query.text).consume().plan)))


def test_the_sweep_keeps_the_rules_of_the_model(sample_graph, neo4j_target):
    """Of whatever model: one of two datasets, one of a single dataset, one of two that are not the variable's."""
    swept = (
        "MATCH (e:Experiment)-[:RUN]->(m:Model) WHERE e.id CONTAINS ':sweep-' "
        "RETURN m.id, count(e), collect(DISTINCT e.dataset_id) ORDER BY m.id"
    )
    with sample_graph.session() as session:
        seed(neo4j_target, "sweep")
        assert session.run(swept).values() == [["mdl-fraud-boost", 24, ["ds-card-payments"]]]
        seed(neo4j_target, "sweep", "--set", "dataset=ds-chargebacks")
        assert session.run(swept).values() == [["mdl-fraud-boost", 24, ["ds-chargebacks"]]]
        seed(neo4j_target, "sweep", "--set", "model=mdl-fraud-sequence")
        seed(neo4j_target, "sweep", "--set", "model=mdl-desk-asr")
        assert session.run(swept).values() == [
            ["mdl-desk-asr", 24, ["ds-desk-calls"]],
            ["mdl-fraud-boost", 24, ["ds-chargebacks"]],
            ["mdl-fraud-sequence", 24, []],
        ]
        assert session.run(WRONG_DATASET).values() == []
        assert session.run(TOO_EARLY).values() == []


def test_a_sweep_of_no_model_says_so(sample_graph, neo4j_target):
    assert "sweep: 24 rows made no change" in seed(neo4j_target, "sweep", "--set", "model=mdl-none")


def check_plan(session, query, plan):
    names = [name for name, _ in plan]
    assert not [name for name in names if "AllNodesScan" in name], (query.title, plan)
    if query.index == "none":
        return
    assert not [name for name in names if "NodeByLabelScan" in name], (query.title, plan)
    wanted = seen_in_plan(session, query.index)
    using = [name for name, details in plan if wanted in details]
    assert using, (query.title, wanted, plan)
    assert all("IndexSeek" in name or name == "ProcedureCall" for name in using), (query.title, using)


def test_every_index_of_the_project_has_a_query(sample_graph):
    """An index that no documented query needs only costs writes."""
    with sample_graph.session() as session:
        made = {
            record["name"]
            for record in session.run(
                "SHOW INDEXES YIELD name, type, labelsOrTypes, owningConstraint "
                "WHERE type <> 'LOOKUP' AND owningConstraint IS NULL AND NOT labelsOrTypes[0] STARTS WITH '__' RETURN name"
            )
        }
    assert made == {query.index for query in QUERIES} - {"none", "model_id"}


def test_the_sample_graph_covers_the_model(sample_graph):
    """Every label, relationship type and property of docs/model.md, of the type it says, and no other."""
    page = (PAGE.parent / "model.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+)$(.+?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    row = re.compile(r"^\| `(\w+)` \| ([^|]+) \|", re.MULTILINE)
    described = {(label, *each) for label, body in sections for each in row.findall(body)}
    title = re.search(r'<title id="title">(.+)</title>', (PAGE.parent / "graph-model.svg").read_text("utf-8"))
    assert title
    assert f"![{title[1]}](graph-model.svg)" in page
    drawn = set(re.findall(r"(\w+) ([A-Z_]+) (\w+)", title[1]))
    with sample_graph.session() as session:
        found = session.run(
            "MATCH (n) WHERE NOT labels(n)[0] STARTS WITH '__' UNWIND keys(n) AS key "
            "RETURN DISTINCT labels(n)[0], key, valueType(n[key])"
        ).values()
        relationships = session.run(
            "MATCH (a)-[r]->(b) WHERE NOT labels(a)[0] STARTS WITH '__' "
            "RETURN DISTINCT labels(a)[0], type(r), labels(b)[0]"
        ).values()
    assert {(label, key, type_.removesuffix(" NOT NULL")) for label, key, type_ in found} == described
    assert set(map(tuple, relationships)) == drawn
