"""Sources against a real Neo4j: every type arrives, queries read, check and show load nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import neo4j
import pytest

from graphmigrate.seeds.files import SeedFileError
from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import Project, count, dump, rows


@pytest.fixture
def seeds(project: Project) -> Path:
    folder = project.folder / "seeds"
    folder.mkdir()
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.cypher.j2").write_text(text)


TYPES = {
    "i": ("int", "7", "INTEGER NOT NULL"),
    "f": ("float", "1.5", "FLOAT NOT NULL"),
    "b": ("bool", "yes", "BOOLEAN NOT NULL"),
    "s": ("string", "x", "STRING NOT NULL"),
    "d": ("date", "2024-02-29", "DATE NOT NULL"),
    "dt": ("datetime", "2024-07-01T10:00:00.123456+02:00", "ZONED DATETIME NOT NULL"),
    "li": ("int[]", "1|2", "LIST<INTEGER NOT NULL> NOT NULL"),
    "ld2": ("date[]", "2024-01-01", "LIST<DATE NOT NULL> NOT NULL"),
}


@pytest.mark.parametrize("kind", ["csv", "csv.gz"])
def test_every_type_arrives(project: Project, driver: neo4j.Driver, seeds: Path, kind: str) -> None:
    values = {name: text for name, (_, text, _) in TYPES.items()}
    content = (",".join(values) + "\n" + ",".join(values.values()) + "\n").encode()
    (seeds / f"x.{kind}").write_bytes(gzip.compress(content) if kind.endswith("gz") else content)
    types = {name: each for name, (each, _, _) in TYPES.items()}
    call = f"{kind.removesuffix('.gz')}('x.{kind}', types={types}, separator='|')"
    write(seeds, "a", f"{{% unwind row in {call} %}}CREATE (n:A) SET n = row{{% endunwind %}}")
    project.call("seed")
    [[found]] = rows(driver, "MATCH (n:A) RETURN reduce(m = [], k IN keys(n) | m + [[k, valueType(n[k])]])")
    assert dict(found) == {name: kind for name, (_, _, kind) in TYPES.items()}
    [[again]] = rows(driver, "MATCH (n:A) RETURN [toString(n.dt), n.li, n.f]")
    assert again == ["2024-07-01T10:00:00.123456+02:00", [1, 2], 1.5]


def test_generated_rows_arrive(project: Project, driver: neo4j.Driver, seeds: Path) -> None:
    columns = (
        "id=random.uuid(), at=random.datetime('2024-01-01', '2025-01-01'), v=random.vector(4),"
        " tags=random.sample(['a', 'b'], 0, 2), name=choice([concat('n', sequence()), none]), boss=ref()"
    )
    write(
        seeds, "a", f"{{% unwind row in generate(50, {columns}) %}}CREATE (n:A) SET n = row{{% endunwind %}}"
    )
    project.call("seed")
    assert rows(
        driver, "MATCH (n:A) RETURN count(n), count(DISTINCT n.id), min(size(n.v)), max(n.boss) < 50"
    )[0] == [50, 50, 4, True]


GOOD = """---
vars: {{name: x}}
---
MERGE (:Thing {{name: {{{{ name }}}}}});
{{% unwind row in csv('x.csv', types={{'size': 'int'}}) %}}
MERGE (t:Thing {{name: row.id}}) SET t.size = row.size;
{{% endunwind %}}{more}
"""


class TestCommands:
    @pytest.fixture
    def folder(self, tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
        (tmp_path / "seeds").mkdir()
        (tmp_path / "migrations").mkdir()
        (tmp_path / "seeds" / "x.csv").write_text("id,size\na,1\nb,2\nc,3\n")
        (tmp_path / "graphmigrate.toml").write_text('env_allowed = ["TOKEN"]\n')
        return Folder(tmp_path, neo4j_target.env)

    def test_check_loads_nothing(self, folder: Folder, driver: neo4j.Driver) -> None:
        write(folder.path / "seeds", "a", GOOD.format(more=""))
        write(folder.path / "seeds", "b", "---\nprofiles: dev\n---\nRETURN 1;")
        before = dump(driver, volatile=True)
        done = folder.run("seed", "check", "--output", "json")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["seeds"] == [{"name": "a", "statements": 1, "blocks": 1, "rows": 3}]
        assert [each["name"] for each in result["skipped"]] == ["b"]
        done = folder.run("seed", "check", "--no-rows")
        assert (done.returncode, "nothing was loaded" in done.stderr) == (0, True)
        assert done.stdout.split()[-3:] == ["a", "1", "1"]
        assert dump(driver, volatile=True) == before

    @pytest.mark.parametrize(
        ("more", "arguments", "code", "place"),
        [
            ("MATCH (n) RETUR n;", [], "GM201", "a.cypher.j2:7:"),
            ("{{ nope }}", [], "GM571", "a.cypher.j2:7:"),
            ("", ["--rows"], "GM118", "x.csv:3:3"),
        ],
    )
    def test_check_finds(
        self, folder: Folder, driver: neo4j.Driver, more: str, arguments: list[str], code: str, place: str
    ) -> None:
        write(folder.path / "seeds", "a", GOOD.format(more=more))
        (folder.path / "seeds" / "x.csv").write_text("id,size\na,1\nb,x\n")
        before = dump(driver, volatile=True)
        done = folder.run("seed", "check", *arguments)
        assert done.returncode == 2
        assert code in done.stderr
        assert place in done.stderr
        assert dump(driver, volatile=True) == before

    def test_rows_that_repeat_a_key_with_other_values_are_told(
        self, folder: Folder, driver: neo4j.Driver
    ) -> None:
        seeds = folder.path / "seeds"
        write(seeds, "a", GOOD.format(more=""))
        (seeds / "x.csv").write_text("id,size\na,1\nb,2\na,3\nb,2\na,4\n")
        told = (
            "a: 2 rows changed again what an earlier row with the same key changed.",
            "seeds/x.csv:4: {'id': 'a', 'size': 3}\n",
            "seeds/x.csv:6: {'id': 'a', 'size': 4}\n",
        )
        done = folder.run("seed", "check")
        assert (
            done.returncode,
            "warning[GM557]: An earlier row of a with the same key has other values: 2 rows." in done.stderr,
        ) == (0, True)
        done = folder.run("seed", "--strict")
        assert (done.returncode, "error[GM551]" in done.stderr) == (5, True)
        assert "seeds/x.csv:4" in done.stderr
        assert "kept (2 rows)" in done.stderr
        assert rows(driver, "MATCH (t:Thing {name: 'a'}) RETURN t.size") == [[1]]
        done = folder.run("seed", "--force")
        assert done.returncode == 0, done.stderr
        assert [line for line in told if line not in done.stderr] == []
        write(seeds, "a", GOOD.format(more="").replace("vars:", "unmatched: ignore\nvars:"))
        done = folder.run("seed", "--strict")
        assert (done.returncode, "changed again" in done.stderr) == (0, False)

    def test_check_asks_no_database_offline(self, folder: Folder) -> None:
        write(folder.path / "seeds", "a", GOOD.format(more="MATCH (n) RETUR n;"))
        offline = {name: value for name, value in folder.env.items() if not name.startswith("NEO4J_")}
        done = Folder(folder.path, offline).run("seed", "check", "--offline", "--output", "json")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert (result["target"], result["seeds"][0]["rows"]) == (None, 3)
        assert "because no server was asked" in done.stderr
        (folder.path / "seeds" / "x.csv").write_text("id,size\na,1\nb,x\n")
        done = Folder(folder.path, offline).run("seed", "check", "--offline")
        assert (done.returncode, "x.csv:3:3" in done.stderr) == (2, True)

    def test_show_is_cypher_with_comments(self, folder: Folder, driver: neo4j.Driver) -> None:
        text = GOOD.format(more="\nMERGE (:Thing {name: {{ env('TOKEN') }}});")
        write(folder.path / "seeds", "a", text)
        done = folder.run("seed", "show", "a", "--rows", "2", "--set", "name=Ann", TOKEN="hunter22")
        assert done.returncode == 0, done.stderr
        assert "hunter22" not in done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert '// $p1: "Ann"' in lines
        assert '// $p1: "***"' in lines
        assert '//   ["b", 2]' in lines
        assert '//   ["c", 3]' not in lines
        statements = "\n".join(line for line in lines if not line.startswith("//")).split(";")
        for each in filter(str.strip, statements):
            driver.execute_query("EXPLAIN " + each, p1=1, rows=[])
        assert count(driver, "Thing") == 0

    def test_show_needs_no_database(self, folder: Folder) -> None:
        write(folder.path / "seeds", "a", GOOD.format(more=""))
        offline = {name: value for name, value in folder.env.items() if not name.startswith("NEO4J_")}
        done = Folder(folder.path, offline).run("seed", "show", "a", "--output", "json")
        assert done.returncode == 0, done.stderr
        shown = json.loads(done.stdout)
        assert shown["statements"][1]["rows"] == [["a", 1], ["b", 2], ["c", 3]]
        done = Folder(folder.path, offline).run("seed", "show", "nope")
        assert (done.returncode, "GM563" in done.stderr) == (2, True)
        assert Folder(folder.path, offline).run("seed", "show", "a", "--rows", "-1").returncode == 2


def test_a_seed_of_the_environment_is_loaded_by_the_facade(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seeds").mkdir()
    write(tmp_path / "seeds", "a", "MERGE (:Tenant {name: {{ env('TENANT') }}});")
    monkeypatch.setenv("TENANT", "acme")
    with pytest.raises(SeedFileError):
        Project(neo4j_target, tmp_path).call("seed")
    allowed = Project(neo4j_target, tmp_path, env_allowed=("TENANT",))
    allowed.call("seed")
    assert rows(driver, "MATCH (t:Tenant) RETURN t.name") == [["acme"]]
    assert [each.state for each in allowed.call("seeds")] == ["loaded"]
    monkeypatch.setenv("TENANT", "other")
    assert [each.state for each in allowed.call("seeds")] == ["changed"]
