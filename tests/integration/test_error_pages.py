"""The examples of the pages on errors: their files are written and their commands run, and print what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget

PAGES = Path(__file__).parents[2] / "docs" / "errors"
BLOCK = re.compile(r"^(?:`([\w./-]+)`:\n\n)?```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = ("GM501", "GM508")  # the pages whose example is complete


def without_figures(text: str) -> str:
    text = re.sub(r"4:[0-9a-f-]{36}:\d+", "ID", text)
    text = re.sub(r"\d[\d.]* m?s\b", "TIME", text).strip()
    return text.replace(
        " (TIME applying, TIME connecting and checking)", ""
    )  # told only where it took a second


@pytest.mark.parametrize("name", NAMES)
def test_the_example_prints_what_the_page_shows(
    name: str, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    example = (PAGES / f"{name}.md").read_text().split("## Example")[1]
    codes = []
    for file, text in BLOCK.findall(example):
        if file:
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(text)
            continue
        command, _, shown = text.partition("\n")
        done = Folder(tmp_path, neo4j_target.env).run(*shlex.split(command)[2:])
        printed, wanted = without_figures(done.stderr + done.stdout), without_figures(shown)
        if wanted.endswith(" …"):
            wanted = wanted.removesuffix("…")
            printed = printed[: len(wanted)]
        assert printed == wanted
        codes.append(done.returncode)
    assert codes
    assert codes[-1] in {2, 5}
    assert f"error[{name}]" in done.stderr
