"""The examples of the library's pages are run as they stand there, in order, in a new project on an empty database."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest

from tests.conftest import Neo4jTarget

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["reference/library.md", "how-to/use-as-a-library.md"]


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 3
    auth = (neo4j_target.username, neo4j_target.password) if neo4j_target.password else None
    program = "\n".join([f"uri, auth = {neo4j_target.uri!r}, {auth!r}", *blocks])
    (tmp_path / "example.py").write_text(program)
    for words in (["-m", "graphmigrate", "init", "--quiet"], ["example.py"]):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=neo4j_target.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
