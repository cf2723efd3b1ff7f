"""The documentation's site, built and looked at: every link leads somewhere, and a browser fetches nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.acceptance import chromium

ROOT = Path(__file__).parents[2]
CHROMIUM = chromium.program()
PAGES = (
    "",
    "tutorial/",
    "model/",
    "explanation/exactly-once/",
    "reference/cli/",
    "reference/api/",
    "architecture/",
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None,
    reason="the site's packages are missing (requirements-docs.txt)",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Path:
    done = subprocess.run(
        [sys.executable, "scripts/docs"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build" / "site"


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_no_page_has_a_diagram_that_is_drawn_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 80
    for page in pages:
        text = page.read_text()
        assert 'class="mermaid"' not in text, page
        assert 'data-md-component="source"' not in text, page  # asks GitHub for the number of stars


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)")
def test_a_browser_fetches_nothing_from_elsewhere_and_no_page_is_too_wide(address: str) -> None:
    assert CHROMIUM
    with chromium.page(CHROMIUM) as page:
        for width in (400, 1400):
            page.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=900,
                deviceScaleFactor=1,
                mobile=width < 500,
            )
            for name in PAGES:
                page.call("Page.navigate", url=address + name)
                page.until("document.readyState === 'complete' && document.querySelector('h1') !== null")
                fetched = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
                assert fetched, name
                assert [each for each in fetched if not each.startswith((address, "data:"))] == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
