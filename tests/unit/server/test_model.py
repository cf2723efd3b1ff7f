"""Releases, options, links and commands of the local server."""

from __future__ import annotations

import sys
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.server import Server, ServerOptions, browser_url, stop_command
from graphmigrate.server.model import RELEASES, STOP, resolve, series


@pytest.mark.parametrize(
    ("name", "version"),
    [
        (None, "5.26.25"),
        ("5", "5.26.25"),
        ("5.26", "5.26.25"),
        ("5.26.25", "5.26.25"),
        ("2026.05", "2026.05.0"),
    ],
)
def test_versions_are_named_by_their_beginning(name, version):
    assert resolve(name).version == version


@pytest.mark.parametrize("name", ["", "5.2", "4.4", "latest", "5.26.1"])
def test_an_unknown_version_is_answered_with_the_known_ones(name):
    with pytest.raises(UsageError) as caught:
        resolve(name)
    assert caught.value.error_code == "GM158"
    assert all(each.version in (caught.value.hint or "") for each in RELEASES)


def test_series():
    assert [series(each) for each in ("5.26.25", "2026.05.0", "5.26")] == ["5.26", "2026.05", "5.26"]


def test_the_browser_link_survives_any_query():
    address = Server(
        "jvm", "5", "bolt://127.0.0.1:7687", "http://127.0.0.1:7474", None, None, None, None, False
    )
    query = 'MATCH (p:Project {name: "Ä & B"})-->(m) // 100%\nRETURN p, m + 1'
    link = urlsplit(browser_url(address, query))
    assert (link.netloc, link.path) == ("127.0.0.1:7474", "/browser/")
    assert parse_qs(link.query) == {"connectURL": ["bolt://127.0.0.1:7687"], "cmd": ["edit"], "arg": [query]}
    assert "arg" not in browser_url(address)
    link = urlsplit(browser_url(replace(address, username="neo4j")))
    assert parse_qs(link.query) == {"connectURL": ["bolt://neo4j@127.0.0.1:7687"]}


def test_the_command_that_stops_it_can_be_typed(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "graphmigrate"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.delenv(STOP, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert stop_command() == "bin/graphmigrate server stop"
    monkeypatch.setenv("PATH", str(program.parent))
    assert stop_command() == "graphmigrate server stop"
    monkeypatch.setattr(sys, "argv", ["/somewhere/graphmigrate/__main__.py"])
    assert stop_command() == f"{sys.executable} -m graphmigrate server stop"
    monkeypatch.setenv(STOP, "make stop")
    assert stop_command() == "make stop"


@pytest.mark.parametrize("size", ["512", "m", "0m", "-1g", "1.5g", "512m -XX:+Evil", ""])
def test_sizes_that_the_server_would_not_understand_are_refused(size):
    with pytest.raises(UsageError) as caught:
        ServerOptions(heap=size).check()
    assert caught.value.error_code == "GM158"
