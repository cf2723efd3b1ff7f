"""The link that ``summary`` shows opens Neo4j Browser on the local server, with a query that finds the sample graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphmigrate import server
from tests.acceptance import chromium
from tests.acceptance.commands import Folder, offline_environment

CHROMIUM = chromium.program()


def element(name: str) -> str:
    return f"document.querySelector('[data-testid={name}]')"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    folder = Folder(Path(tmp_path_factory.mktemp("browser")), offline_environment())
    assert folder.run("init").returncode == 0
    started = folder.run("server", "start", "--provider", "jvm", "--ephemeral", "--port", "0")
    if started.returncode == 2:
        pytest.skip(f"no local server here: {started.stderr}")
    assert started.returncode == 0, started.stderr
    yield folder
    assert folder.run("server", "stop").returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian: apt-get install chromium)")
def test_a_person_connects_runs_the_query_and_sees_the_rows(project: Folder, tmp_path: Path) -> None:
    for command in ("migrate", "seed"):
        assert project.run(command).returncode == 0
    where = json.loads(project.run("summary", "--output", "json").stdout)["where"]
    running = server.find(project.path)
    assert running is not None
    assert CHROMIUM is not None
    with chromium.page(CHROMIUM) as page:
        page.call("Page.navigate", url=where["browser"])
        page.until(f"{element('connect')} !== null")
        assert page.evaluate(f"{element('bolt-scheme-select')}.value") == "bolt://"
        assert page.evaluate(f"{element('boltaddress')}.value") == where["bolt"].removeprefix("bolt://")
        for name, text in (("username", running.username), ("password", running.password)):
            page.evaluate(f"{element(name)}.focus()")
            page.evaluate(f"{element(name)}.select()")
            page.type(str(text))
        page.evaluate(f"{element('connect')}.click()")
        page.until("document.body.innerText.includes('You are connected')")
        page.until(f"{element('editor-Run')}.disabled === false")
        page.evaluate(f"{element('editor-Run')}.click()")
        try:
            page.until("document.body.innerText.includes('Started streaming')")
            shown = page.evaluate("document.body.innerText")
        finally:
            page.screenshot(tmp_path / "browser.png")
    rows = json.loads(project.run("summary", "--output", "json").stdout)["query"]["rows"]
    assert len(rows) == 3
    for person, _, friends in rows:
        assert f'"{person}"' in shown
        assert all(f'"{each}"' in shown for each in friends)
