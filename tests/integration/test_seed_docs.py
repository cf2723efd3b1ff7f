"""Every example of the pages on seeds is checked, loaded and, where the page shows the output, shown."""

from __future__ import annotations

import re
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import Project

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("how-to/seed-from-files.md", "how-to/generate-data.md", "reference/seed-templates.md")
BLOCK = re.compile(r"^(?:`([\w./-]+)`:\n\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_examples(page: str, folder: Path) -> dict[str, str]:
    """Write the page's files below a folder; gives what it says that commands print."""
    printed: dict[str, str] = {}
    for number, (file, language, text) in enumerate(BLOCK.findall((DOCS / page).read_text())):
        if language == "text" and text.startswith("$ "):
            command, _, output = text.partition("\n")
            printed[command.removeprefix("$ graphmigrate ")] = output
            continue
        name = file or f"seeds/example_{number:03}.cypher.j2"
        assert file or language == "jinja", f"{page}: a block of {language} without a name: {text[:40]}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return printed


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_a_page(
    page: str, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    if "generate" in page:
        pytest.importorskip("faker")
    printed = write_examples(page, tmp_path)
    project = Project(neo4j_target, tmp_path, env_allowed=("SEED_TENANT",))
    checked = project.call("check_seeds")
    loaded = project.call("seed").loaded
    assert {each.name for each in loaded} == {each.name for each in checked.seeds}
    assert [each.name for each in loaded if not each.changes] == []
    for command, output in printed.items():
        if output:
            assert Folder(tmp_path, neo4j_target.env).run(*command.split()).stdout == output


def test_the_reference_names_every_function_type_and_filter() -> None:
    from graphmigrate.seeds.csv_rows import Dialect
    from graphmigrate.seeds.frontmatter import KEYS, RESERVED
    from graphmigrate.seeds.generate import FUNCTIONS
    from graphmigrate.seeds.values import NAMES

    text = (DOCS / "reference/seed-templates.md").read_text()
    words = {*RESERVED, *Dialect.__dataclass_fields__, *NAMES, *KEYS}
    words |= {"identifier", "literal"}
    missing = [word for word in words - {"loop", "self", "caller", "super"} if f"`{word}" not in text]
    missing += [name for name in FUNCTIONS if name != "choice" and f"`random.{name}(" not in text]
    assert missing == []
