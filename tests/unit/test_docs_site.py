"""scripts/docs: what it makes of the pages, and the links that it finds broken."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, with its folders in ``tmp_path``."""
    loader = importlib.machinery.SourceFileLoader("docs_script", str(ROOT / "scripts" / "docs"))
    spec = importlib.util.spec_from_loader("docs_script", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "SITE", tmp_path / "site")
    monkeypatch.setattr(module, "BUILD", ROOT / "build" / "docs")
    return module


def test_links_that_leave_the_documentation_lead_to_the_repository(docs: Any) -> None:
    page = docs.BUILD / "how-to" / "ci.md"
    text = "[a](read-a-plan.md) [b](../../CHANGELOG.md) [c](#x) [d](https://e.org) [e](../reference/schemas/)"
    made = docs.relinked(text, page)
    assert "[a](read-a-plan.md)" in made
    assert f"[b]({docs.REPOSITORY}/blob/main/CHANGELOG.md)" in made
    with pytest.raises(SystemExit, match="not there"):
        docs.relinked("[x](../../nowhere.md)", page)


def test_every_page_is_in_the_navigation(docs: Any) -> None:
    docs.BUILD = ROOT / "docs"
    text = docs.toml(docs.navigation())
    for page in docs.BUILD.rglob("*.md"):
        assert f'"{page.relative_to(docs.BUILD)}"' in text, page


def test_broken_links_are_found(docs: Any) -> None:
    (docs.SITE / "a").mkdir(parents=True)
    (docs.SITE / "index.html").write_text(
        '<h1 id="top"></h1><a href="a/#here"></a><a href="https://e.org"></a>'
    )
    (docs.SITE / "a" / "index.html").write_text(
        '<p id="here"></p><a href="../#top"></a><a href="../#gone"></a><a href="../b/"></a><img src="x.svg">'
    )
    assert docs.broken() == ["a/index.html: ../#gone", "a/index.html: ../b/", "a/index.html: x.svg"]


def test_what_a_page_loads_from_elsewhere_is_found(docs: Any) -> None:
    docs.SITE.mkdir(parents=True)
    (docs.SITE / "index.html").write_text(
        '<link rel="canonical" href="https://e.org/"><link rel="stylesheet" href="https://e.org/a.css">'
        '<script src="//e.org/b.js"></script><img src="https://e.org/c.svg"><a href="https://e.org/d"></a>'
    )
    assert docs.broken() == [
        "index.html: loads //e.org/b.js",
        "index.html: loads https://e.org/a.css",
        "index.html: loads https://e.org/c.svg",
    ]
