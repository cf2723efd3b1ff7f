"""Migrations are taken back as they were recorded, and applied again, on a real Neo4j."""

from __future__ import annotations

from typing import Any

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, MigrationFailed, PreflightError
from graphmigrate.events import Notice
from tests.chaos.network import killed_at
from tests.chaos.proxy import proxy
from tests.chaos.runners import runners
from tests.projects import Project, rows

EVERY_KIND = {
    "V1__constraints": "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;\n"
    "CREATE CONSTRAINT knows FOR ()-[k:KNOWS]-() REQUIRE (k.a, k.b) IS UNIQUE;",
    "V2__indexes": """CREATE INDEX r FOR (p:Person) ON (p.name, p.age);
CREATE TEXT INDEX t FOR (p:Person) ON (p.name);
CREATE POINT INDEX pt FOR (p:Place) ON (p.at) OPTIONS {indexConfig: {`spatial.cartesian.min`: [-9.0, -9.0]}};
CREATE FULLTEXT INDEX ft FOR (n:Person|Place) ON EACH [n.name, n.`odd ``name`]
  OPTIONS {indexConfig: {`fulltext.analyzer`: 'english'}};
CREATE VECTOR INDEX v FOR (n:Person) ON (n.e)
  OPTIONS {indexConfig: {`vector.dimensions`: 16, `vector.similarity_function`: 'euclidean'}};
CREATE INDEX rr FOR ()-[k:KNOWS]-() ON (k.since);
CREATE INDEX FOR (p:Person) ON (p.town);""",
    "V3__exists": "CREATE INDEX r IF NOT EXISTS FOR (p:Person) ON (p.name, p.age);\nDROP INDEX no IF EXISTS;",
    "V4__mixed": "CREATE INDEX thing FOR (t:Thing) ON (t.a);\nUNWIND range(1, 5) AS i CREATE (:Thing {a: i});\n"
    "CREATE CONSTRAINT thing_b FOR (t:Thing) REQUIRE t.b IS UNIQUE;",
    "U4__mixed": "MATCH (t:Thing) DELETE t;",
    "V5__drops": "DROP INDEX ft;\nDROP INDEX v;\nDROP INDEX by_hand;\nDROP CONSTRAINT knows;\n"
    "CREATE FULLTEXT INDEX ft FOR (n:Person) ON EACH [n.title];",
}


def state(driver: neo4j.Driver) -> list[Any]:
    """The whole catalogue as the server would make it again, and the data."""
    show = "YIELD name, createStatement RETURN name, createStatement ORDER BY name"
    data = "MATCH (n) WHERE NOT n:__GraphMigrate RETURN labels(n), properties(n) ORDER BY toString(n.a)"
    return [rows(driver, each) for each in (f"SHOW INDEXES {show}", f"SHOW CONSTRAINTS {show}", data)]


def refused(project: Project, *names: str, **options: Any) -> GraphMigrateError:
    before = project.call("status").rows
    with pytest.raises(GraphMigrateError) as caught:
        project.call("undo", **options)
    assert project.call("status").rows == before
    told = " ".join([str(caught.value), caught.value.hint or "", *map(str, caught.value.problems)])
    assert all(name in told for name in names), told
    return caught.value


@pytest.mark.depends_on_version
def test_up_undo_up_ends_in_the_same_catalogue_and_graph(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE TEXT INDEX by_hand FOR (x:X) ON (x.y)")
    project.write(**EVERY_KIND)
    project.migrate(target="V1")
    at_first = state(driver)
    project.migrate()
    end = state(driver)
    assert [each.version for each in project.call("undo", to="V1").undone] == ["5", "4", "3", "2"]
    assert state(driver) == at_first
    assert [row.state for row in project.call("status").rows] == ["applied", *["undone"] * 4]
    assert {each.application for each in project.call("plan").migrations} == {2}
    project.migrate()
    assert Notice("V5 was undone, and is applied again (@2).") in project.events
    assert state(driver) == end
    assert project.call("undo", to="0").version is None
    assert project.migrate().version == "5"
    assert state(driver) == end
    assert project.call("validate") == ()


def test_it_goes_back_in_the_order_of_application(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__a="CREATE INDEX a FOR (a:A) ON (a.a);", V3__c="CREATE INDEX c FOR (a:A) ON (a.c);"
    ).migrate()
    project.write(V2__b="CREATE INDEX b FOR (a:A) ON (a.b);").migrate(allow_out_of_order=True)
    assert [each.version for each in project.call("plan", undo=True, steps=2).migrations] == ["2", "3"]
    assert [each.version for each in project.call("undo").undone] == ["2"]
    with pytest.raises(HistoryMismatch):  # a late version needs the word, as any other
        project.migrate()
    assert project.call("undo", to="V1").version == "1"
    assert [each.version for each in project.migrate().applied] == ["2", "3"]
    assert project.call("undo", to="3").undone == ()


def test_data_without_a_way_back_are_refused_by_the_name_of_the_file(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__a="CREATE INDEX a FOR (a:A) ON (a.a);", V2__load="CREATE (:A {a: 1});").migrate()
    refused(project, "U2__load.cypher", to="0")
    (problem,) = project.call("plan", undo=True).problems
    assert problem.code == "GM610"
    project.write(U2__load="MATCH (a:A) DELETE a;")
    assert len(project.call("undo", to="0").undone) == 2
    assert state(driver)[2] == []


def test_what_is_not_as_recorded_is_left_alone(project: Project, driver: neo4j.Driver) -> None:
    vector = "CREATE VECTOR INDEX v FOR (a:A) ON (a.e) OPTIONS {indexConfig: {`vector.dimensions`: %d}};"
    project.write(V1__v=vector % 8, V2__w="CREATE INDEX w FOR (a:A) ON (a.w);").migrate()
    driver.execute_query("DROP INDEX v")
    refused(project, "V1", "not there any more", to="0")
    driver.execute_query(vector % 16)
    refused(project, "V1", "another one now", "U1__v.cypher", to="0")
    project.write(U1__v="DROP INDEX v;")
    assert len(project.call("undo", to="0").undone) == 2


def test_data_and_rivals_against_a_constraint_that_comes_back(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__c="CREATE CONSTRAINT c FOR (a:A) REQUIRE a.a IS UNIQUE;").migrate()
    project.write(V2__d="DROP CONSTRAINT c;").migrate()
    driver.execute_query("CREATE (:A {a: 1}), (:A {a: 1})")
    error = refused(project, "occurs more than once", "graphmigrate undo again")
    assert isinstance(error, PreflightError)
    driver.execute_query("MATCH (a:A) DELETE a")
    driver.execute_query("CREATE INDEX other FOR (a:A) ON (a.a)")
    assert refused(project, "other").error_code == "GM206"
    driver.execute_query("DROP INDEX other")
    project.call("undo")
    assert rows(driver, "SHOW CONSTRAINTS YIELD name WHERE name = 'c' RETURN name") == [["c"]]


def test_what_no_undo_takes_back(project: Project, driver: neo4j.Driver) -> None:
    """A baseline, what is applied in part, what an older graphmigrate recorded nothing of."""
    project.write(V1__a="CREATE INDEX a FOR (a:A) ON (a.a);", V2__b="CREATE INDEX b FOR (a:A) ON (a.b);")
    project.call("baseline", "V1")
    project.migrate()
    refused(project, "V1", "baseline", "undo --to V1", to="0")
    driver.execute_query("MATCH (m:__GraphMigrateMigration {version: '2'}) REMOVE m.made, m.dropped")
    refused(project, "V2", "not recorded", "U2__b.cypher")
    project.write(V3__c="CREATE INDEX c FOR (a:A) ON (a.c);\nMATCH (a:A) SET a.x = 1 / 0;")
    driver.execute_query("CREATE (:A)")
    with pytest.raises(MigrationFailed):
        project.migrate()
    refused(project, "V3 is applied in part")
    refused(project, "--steps", to="1", steps=2)
    refused(project, "V7 is not applied here", to="V7")


def test_an_undo_that_failed_is_finished_and_migrate_waits_for_that(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(
        V1__a="CREATE (:A {a: 1});\nCREATE INDEX a FOR (a:A) ON (a.a);",
        U1__a="// graphmigrate: transaction statement\nMATCH (a:A) SET a.b = 1;\nMATCH (a:A) SET a.x = 1 / (a.a - 1);",
    ).migrate()
    with pytest.raises(MigrationFailed):
        project.call("undo")
    with pytest.raises(HistoryMismatch, match="V1 is undone in part"):
        project.migrate()
    assert project.call("status").rows[0].detail == "its undo is not finished"
    project.write(
        U1__a="// graphmigrate: transaction statement\nMATCH (a:A) SET a.b = 2;\nMATCH (a:A) DELETE a;"
    )
    assert refused(project).error_code == "GM605"
    project.write(
        U1__a="// graphmigrate: transaction statement\nMATCH (a:A) SET a.b = 1;\nMATCH (a:A) DELETE a;"
    )
    project.call("undo")
    assert state(driver)[2] == []
    assert project.migrate().version == "1"


def test_only_an_entrypoint_that_says_so_applies_again(project: Project) -> None:
    project.write(V1__a="CREATE INDEX a FOR (a:A) ON (a.a);").migrate()
    project.call("undo")
    with pytest.raises(HistoryMismatch, match="V1 was undone in this database"):
        project.migrate(reapply=False)
    assert project.migrate().version == "1"
    assert project.migrate(reapply=False).applied == ()


def test_killed_at_some_messages_it_is_finished_by_the_next(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE TEXT INDEX by_hand FOR (x:X) ON (x.y)")
    project.write(
        **{name: text for name, text in EVERY_KIND.items() if name != "V2__indexes"}
        | {
            "V2__indexes": "CREATE FULLTEXT INDEX ft FOR (n:Person) ON EACH [n.name];\nCREATE INDEX v FOR (n:Person) ON (n.e);"
        }
    )
    project.migrate(target="V1")
    at_first = state(driver)
    project.migrate()
    end = state(driver)
    with runners(project.target.env) as warm:
        with proxy(project.target.uri) as counting:
            code, output = warm.finish(project.folder, counting.uri, "undo", "--to", "V1")
        assert code == 0, output
        assert state(driver) == at_first
        total = len(counting.log)
        for number, k in enumerate(range(total // 4, total, total // 4)):
            project.migrate()
            assert state(driver) == end
            killed_at(k, warm, project.folder, project.target.uri, "undo", "--to", "V1")
            if number % 2:  # who migrates first is told, or finds what was finished and applies it again
                code, output = warm.finish(project.folder, project.target.uri, "migrate")
                assert code == 0 or (code == 6 and "graphmigrate undo" in output), output
            code, output = warm.finish(project.folder, project.target.uri, "undo", "--to", "V1")
            assert code == 0, output
            assert state(driver) == at_first


def test_code_takes_itself_back(project: Project, driver: neo4j.Driver) -> None:
    code = "def upgrade(tx):\n    tx.run('CREATE (:A)')\n"
    (project.folder / "migrations" / "V1__code.py").write_text(code)
    project.migrate()
    refused(project, "V1 is code without downgrade(tx)", "U1__code.cypher")
    project.call("undo", to="1")
    (project.folder / "migrations" / "V2__code.py").write_text(
        f"{code}\n\ndef downgrade(tx):\n    tx.run('MATCH (a:A) WITH a LIMIT 1 DELETE a')\n"
    )
    project.migrate()
    assert project.call("plan", undo=True).migrations[0].statements[0].text.startswith("def downgrade")
    assert [each.version for each in project.call("undo").undone] == ["2"]
    assert state(driver)[2] == [[["A"], {}]]
    assert project.migrate().version == "2"
