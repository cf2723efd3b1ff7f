"""The queries that pages show."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.testing import ready_made
from graphmigrate.testing.ready_made import documented

PAGE = """# Queries
```cypher
:param name => 'Ada'
MATCH (p {name: $name})
RETURN p;
RETURN ';' AS text
```
- in a list
  ```cypher
  RETURN 1
  ```
```sql
SELECT 1
```
"""


def test_queries_of_pages(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(PAGE)
    found = list(documented(tmp_path, "docs/*.md"))
    assert [(each.place.file, each.place.line, each.text) for each in found] == [
        ("docs/a.md", 4, "MATCH (p {name: $name})\nRETURN p"),
        ("docs/a.md", 6, "RETURN ';' AS text"),
        ("docs/a.md", 10, "RETURN 1"),
    ]
    assert found[0].parameters == {"name": "'Ada'"}
    with pytest.raises(UsageError) as refused:
        list(documented(tmp_path, "doc/a.md"))
    assert refused.value.error_code == "GM150"


def test_the_page_lists_as_many_as_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/test-your-project.md").read_text()
    listed = page.split("## Ready-made tests")[1].split("adds six")[1].split("They take")[0]
    functions = [name for name in vars(ready_made) if name.startswith("test_")]
    assert listed.count("\n- ") == len(functions) == 6
