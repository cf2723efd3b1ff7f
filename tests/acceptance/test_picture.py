"""The picture of README shows what its commands print today, and nothing that is gone at the end of a run."""

from __future__ import annotations

import html
import importlib.machinery
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import neo4j
import pytest
from rich.text import Text

from tests.conftest import Neo4jTarget

ROOT = Path(__file__).parents[2]
FIGURES = [  # what differs from run to run, once white space is out
    (r"(bolt|neo4j)\S+?,database", "ADDRESS,database"),
    (r"Neo4j[\d.]+(community|enterprise)", "Neo4jVERSION"),
    (r"\d{4}-\d\d-\d\d\d\d:\d\d:\d\d.*?\d[\d.,]*m?s", "WHEN"),
    (r"\(\d[\d.,]*m?s\)", "(TIME)"),
    (r"[\d,]+propertiesset", "PROPERTIES"),
    (r"in\d[\d.,]*m?s(?=[:;.(])(\([^)]*\))?", "inTIME"),
]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(
        "terminal_picture", str(ROOT / "scripts" / "terminal-picture")
    )
    spec = importlib.util.spec_from_loader("terminal_picture", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def without_figures(text: str) -> str:
    text = re.sub(r"\s+", "", text)
    for pattern, word in FIGURES:
        text = re.sub(pattern, word, text)
    return text


def drawn(picture: str) -> str:
    """The text of a picture; its title and its styles are none of it."""
    inside = picture[picture.index('-matrix">') :]
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", inside))).replace("\xa0", " ")


def test_the_picture_is_that_of_a_run_today(
    script: ModuleType, driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    parts = list(script.shown(tmp_path, neo4j_target.env))
    today = "\n".join(f"{typed}\n{Text.from_ansi(text).plain}" for typed, text in parts)
    picture = drawn(script.PICTURE.read_text())
    assert without_figures(picture) == without_figures(today), (
        "run scripts/terminal-picture, and commit what it draws"
    )
    assert without_figures(drawn(script.draw(parts))) == without_figures(today)
    assert "━" not in picture
    assert "http" not in script.PICTURE.read_text().replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )


def test_what_is_drawn_over_is_not_on_the_screen(script: ModuleType) -> None:
    bar = "\x1b[?25l ━━━ 0/3\r\x1b[2K  applied V1\r\n ━━━ 1/3\r\x1b[2K ━━━ 2/3\r\n\x1b[?25h\r\x1b[1A\x1b[2KDone.\r\n"
    assert script.screen(bar) == "  applied V1\nDone."
    assert script.screen("one\rtwo\r\nthree") == "two\nthree"
