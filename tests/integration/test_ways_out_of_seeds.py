"""Each error of a seed (GM53x to GM57x): its hint is followed to the letter, then the seed is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError
from tests.projects import Project, count

MERGE = "MERGE (:P {{id: {}}});"
CREATE = "CREATE (:P {{id: {}}});"
RESET = "---\nreset: MATCH (n:P) WITH n LIMIT $batch DETACH DELETE n\n---\n"
PROFILE = "---\nprofiles: [demo]\n---\n"
ROWS = "{{% unwind row in [{}] %}}\nMERGE (p:P {{id: row.id}}) SET p.x = 6 / row.n\n{{% endunwind %}}"


@dataclass
class Way:
    """What is loaded first, what fails then with which options, and what its hint says; ``left`` nodes are there in the end."""

    code: str
    said: str
    text: str
    follow: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    again: dict[str, Any] = field(default_factory=dict)
    first: str | None = None
    left: int = 1
    settings: dict[str, Any] = field(default_factory=dict)


WAYS = {
    "a protected target": Way(
        "GM530", "--profile", PROFILE + MERGE.format(1), again={"profile": "demo", "yes": True}, settings={"protected": True}
    ),
    "no reset": Way(
        "GM531", "reset: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n", CREATE.format(1),
        RESET + CREATE.format(1), {"reset": True}, {"reset": True}, first=CREATE.format(1),
    ),
    "a statement that fails": Way("GM551", "", "CREATE (:P {id: 1 / 0});", CREATE.format(1)),
    "a changed load": Way(
        "GM554", "--force", ROWS.format("{'id': 9, 'n': 1}, {'id': 2, 'n': 1}"), again={"force": True},
        first=ROWS.format("{'id': 1, 'n': 1}, {'id': 2, 'n': 0}"), settings={"batch_rows": 1}, left=3,
    ),
    "a load whose change is undone": Way(
        "GM554", "Undo that", ROWS.format("{'id': 9, 'n': 1}, {'id': 2, 'n': 1}"),
        ROWS.format("{'id': 1, 'n': 1}, {'id': 2, 'n': 1}"),
        first=ROWS.format("{'id': 1, 'n': 1}, {'id': 2, 'n': 0}"), settings={"batch_rows": 1}, left=2,
    ),
    "a changed seed, written with MERGE": Way(
        "GM555", "Write it with MERGE", CREATE.format(2), MERGE.format(1), first=CREATE.format(1)
    ),
    "a changed seed, loaded once more": Way(
        "GM555", "--allow-duplicates", CREATE.format(2), again={"allow_duplicates": True}, first=CREATE.format(1), left=2
    ),
    "a forced seed": Way(
        "GM556", "add --allow-duplicates", CREATE.format(1), None, {"force": True}, {"force": True, "allow_duplicates": True},
        first=CREATE.format(1), left=2,
    ),
    "a wrong tag": Way("GM570", "unwind", "{% unwnd row in [1] %}", ROWS.format("{'id': 1, 'n': 1}")),
    "a value inside quotes": Way(
        "GM575", "Join the texts instead: 'a ' + {{ name }}", "{% set name = 'b' %}CREATE (:P {id: 'a {{ name }}'});",
        "{% set name = 'b' %}CREATE (:P {id: 'a ' + {{ name }}});",
    ),
    "every node in batches": Way(
        "GM520", "WHERE NOT n:__GraphMigrate", "{% unwind row in [{'id': 1}] %}\nMATCH (n) SET n.x = row.id\n{% endunwind %}",
        "{% unwind row in [{'id': 1}] %}\n"
        "MERGE (:P {id: row.id}) WITH row MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = row.id\n"
        "{% endunwind %}",
    ),
    "a number that is too large": Way(
        "GM553", "", "{% unwind row in [{'id': 99999999999999999999}] %}\nMERGE (:P {id: row.id})\n{% endunwind %}",
        "{% unwind row in [{'id': 1}] %}\nMERGE (:P {id: row.id})\n{% endunwind %}",
    ),
    "a misspelt word of front matter": Way(
        "GM561", "reset", RESET.replace("reset", "rest") + MERGE.format(1), RESET + MERGE.format(1)
    ),
    "a seed to depend on that is not there": Way(
        "GM563", "", "---\ndepends: [nobody]\n---\n" + MERGE.format(1), MERGE.format(1)
    ),
    "a variable that the seed does not have": Way(
        "GM567", "", "---\nvars: {number: 1}\n---\nMERGE (:P {id: {{ number }}});", None, {"variables": {"numberx": "1"}},
        {"variables": {"number": "1"}},
    ),
    "a misspelt variable": Way(
        "GM571", "number", "---\nvars: {number: 1}\n---\nMERGE (:P {id: {{ numberx }}});",
        "---\nvars: {number: 1}\n---\nMERGE (:P {id: {{ number }}});",
    ),
    "a misspelt filter": Way(
        "GM572", "upper", "MERGE (:P {id: {{ 'a' | uppr }}});", "MERGE (:P {id: {{ 'a' | upper }}});"  # codespell:ignore
    ),
    "a misspelt column": Way(
        "GM582", "name", "{% unwind row in csv('d.csv') %}\nMERGE (p:P {id: row.id}) SET p.name = row.nam\n{% endunwind %}",
        "{% unwind row in csv('d.csv') %}\nMERGE (p:P {id: row.id}) SET p.name = row.name\n{% endunwind %}",
    ),
    "a misspelt option": Way(
        "GM591", "delimiter", "{% unwind row in csv('d.csv', delimeterr=',') %}\nMERGE (p:P {id: row.id})\n{% endunwind %}",
        "{% unwind row in csv('d.csv', delimiter=',') %}\nMERGE (p:P {id: row.id})\n{% endunwind %}",
    ),
    "a misspelt function": Way(
        "GM593", "'int'", "MERGE (:P {id: {{ random.itn(1, 2) }}});", "MERGE (:P {id: {{ random.int(1, 2) }}});"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_the_hint_leads_out(project: Project, driver: neo4j.Driver, name: str) -> None:
    way = WAYS[name]
    project.write(V1__a="CREATE CONSTRAINT p_id FOR (p:P) REQUIRE p.id IS UNIQUE;").migrate()
    seed = project.folder / "seeds" / "s.cypher.j2"
    seed.parent.mkdir()
    if "id: 2, 'n': 0" in (way.first or "") or way.code in {"GM555", "GM556", "GM531"}:
        driver.execute_query("DROP CONSTRAINT p_id")  # or nothing could be made twice
    (seed.parent / "d.csv").write_text("id,name\n1,Ann\n")
    project.more.update(way.settings)
    if way.first:
        seed.write_text(way.first)
        try:
            project.call("seed")
        except GraphMigrateError:
            assert way.code == "GM554"
    seed.write_text(way.text)
    with pytest.raises(GraphMigrateError) as caught:
        project.call("seed", ["s"], **way.options)
    error = caught.value
    found = [error, *error.problems]
    assert way.code in {getattr(each, "error_code", None) or getattr(each, "code", None) for each in found}
    hints = " ".join(each.hint or "" for each in found)
    assert way.said in hints
    if way.follow:
        seed.write_text(way.follow)
    loaded = project.call("seed", ["s"], **way.again).loaded
    assert [each.name for each in loaded] == ["s"]
    assert count(driver, "P") == way.left
    assert (
        project.call("seed", profile=way.again.get("profile"), yes=way.again.get("yes", False)).loaded == ()
    )
