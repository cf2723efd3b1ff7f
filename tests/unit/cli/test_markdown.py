from __future__ import annotations

from graphmigrate.cli.render import markdown
from graphmigrate.errors import HistoryMismatch, Place, Problem, Severity
from graphmigrate.results import PlannedMigration, PlannedStatement, PlanResult, Target

TARGET = Target("bolt://db.internal:7687", "neo4j", "community", "5.26.25")


def migration(version: str, text: str, description: str = "add users") -> PlannedMigration:
    statement = PlannedStatement("V1__a.cypher", 1, "data", text)
    return PlannedMigration(version, description, "V1__a.cypher", 1, 1, (statement,))


def plan(*migrations: PlannedMigration, problems: tuple[Problem, ...] = ()) -> str:
    return "\n".join(markdown.plan(PlanResult(TARGET, migrations, (), problems)))


def test_a_plan_shows_its_statements_but_not_the_address() -> None:
    text = plan(migration("1", "CREATE (:User);"[:-1]))
    assert text.startswith("### graphmigrate: 1 migration to apply, 1 statement\n")
    assert "\n| V1 | add users | V1\\_\\_a.cypher | 1 data |\n" in text
    assert "```cypher\nCREATE (:User);\n```" in text
    assert "db.internal" not in text


def test_nothing_to_do() -> None:
    assert plan().startswith("### graphmigrate: nothing to do\n")


def test_what_people_wrote_is_never_markup() -> None:
    text = plan(migration("1", "RETURN 1", "drop | <b>x</b> @ann #12 [a](http://b) `c`\nd"))
    row = next(line for line in text.splitlines() if line.startswith("| V1"))
    assert row.count("|") - row.count("\\|") == 5
    for markup in ("<b>", "@ann", "#12", "[a](", " `c`"):
        assert markup not in row.replace("\\<", "").replace("\\[", "").replace("\\`", "")


def test_a_fence_is_longer_than_any_in_the_statement() -> None:
    text = plan(migration("1", "RETURN '```\n</details>'"))
    assert "````cypher\nRETURN '```\n</details>';\n````" in text


def test_a_comment_stays_within_what_github_takes() -> None:
    text = plan(*(migration(str(number), "x" * 9_000) for number in range(20)))
    assert len(text) < 65_536
    assert "| V19 |" in text
    assert text.rstrip().endswith("see the files.")


def test_errors_are_counted_in_the_title() -> None:
    problem = Problem("GM602", "V1__a.cypher was edited.", "Put it back.", Place("V1__a.cypher", 1))
    warning = Problem("GM220", "no name", severity=Severity.WARNING)
    text = plan(migration("2", "RETURN 1"), problems=(problem, warning))
    assert text.startswith("### graphmigrate: 1 problem; nothing would be applied\n")
    assert "- ❌ **GM602** V1\\_\\_a.cypher was edited. (V1\\_\\_a.cypher:1:1) *Put it back.*" in text
    assert "- ⚠️ **GM220** no name" in text


def test_an_error_lists_what_is_in_it() -> None:
    error = HistoryMismatch("2 problems", problems=[Problem("GM602", "first"), Problem("GM603", "second")])
    assert "\n".join(markdown.error(error)).count("❌") == 3
