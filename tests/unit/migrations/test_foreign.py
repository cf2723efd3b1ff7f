"""The sums of other tools, as those tools wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphmigrate.migrations.foreign import sums

LEDGERS = sorted((Path(__file__).parents[2] / "golden" / "ledgers").glob("*.json"))


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.stem)
def test_each_sum_of_the_real_tools_is_computed_anew(ledger: Path) -> None:
    found = json.loads(ledger.read_text())
    nodes = {node.get("source"): node.get("checksum") for node in found["nodes"]}
    repeated = {
        target: values["checksum"] for _, kind, target, values in found["relationships"] if kind == "REPEATED"
    }
    for index, checksum in repeated.items():
        nodes[found["nodes"][index]["source"]] = checksum
    assert len(found["files"]) >= 2
    for name, text in found["files"].items():
        if name.endswith(".py"):
            continue  # it has none
        forms = [form for form, value in sums(text.encode()).items() if value == nodes[name]]
        assert any(ledger.stem.startswith(form.removeprefix("of ")) for form in forms), name


def test_a_precondition_line_end_and_flyway_make_sums_of_their_own() -> None:
    base = sums(b"CREATE (:A)\nSET x = 1;\n")
    assert (
        sums(b"// assume that edition is community\nCREATE (:A)\nSET x = 1;\n")[
            "of neo4j-migrations without preconditions"
        ]
        == base["of neo4j-migrations"]
    )
    windows = sums(b"CREATE (:A)\r\nSET x = 1;\r\n")
    assert windows["of neo4j-migrations"] != base["of neo4j-migrations"]
    assert windows["of neo4j-migrations with --autocrlf"] == base["of neo4j-migrations"]
    assert windows["of neo4j-migrations as Flyway makes it"] == base["of neo4j-migrations as Flyway makes it"]
    assert (
        int(sums(b"a")["of neo4j-migrations as Flyway makes it"]) == -390611389
    )  # signed, as Flyway keeps it
    assert sums(b"\xff") == {}
