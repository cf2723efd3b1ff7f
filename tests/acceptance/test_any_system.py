"""The commands that talk to a database start where modules and constants of POSIX are missing, as on Windows.

Other packages are imported before those are taken away: they have ways of their own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import Neo4jTarget
from tests.projects import write_migrations

HIDDEN_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "readline")
HIDDEN_NAMES = {
    "os": (
        *("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "O_NOCTTY", "O_SYNC"),
        *(
            "getuid",
            "geteuid",
            "getgid",
            "getpgid",
            "setsid",
            "killpg",
            "fork",
            "wait4",
            "chown",
            "fchmod",
            "mkfifo",
        ),
    ),
    "signal": (
        "SIGHUP",
        "SIGKILL",
        "SIGPIPE",
        "SIGQUIT",
        "SIGTSTP",
        "SIGUSR1",
        "SIGCHLD",
        "pthread_sigmask",
        "setitimer",
    ),
}
PROGRAM = f"""
import sys, os, signal
import click, filelock, jinja2, neo4j, rich.console, rich.table, ruamel.yaml  # noqa
for name in {HIDDEN_MODULES!r}:
    sys.modules[name] = None
for module, names in {HIDDEN_NAMES!r}.items():
    for name in names:
        if hasattr(sys.modules[module], name):
            delattr(sys.modules[module], name)
from graphmigrate.cli.app import run
sys.exit(run(sys.argv[1:]))
"""


def run_without_posix(folder: Path, target: Neo4jTarget, *words: str) -> str:
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(
        command, cwd=folder, env=target.env, stdout=-1, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_project_is_planned_applied_and_seeded_without_posix(
    driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    write_migrations(
        tmp_path, V1__person="CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;"
    )
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "data.csv").write_text("id\n1\n2\n")
    (seeds / "people.cypher.j2").write_text(
        "{% unwind row in csv('data.csv') %}\nMERGE (p:Person {id: row.id});\n{% endunwind %}\n"
    )
    assert "V1" in run_without_posix(tmp_path, neo4j_target, "plan")
    for words in (
        ("validate",),
        ("migrate",),
        ("status",),
        ("seed", "check"),
        ("seed",),
        ("summary",),
        ("repair",),
        ("wait",),
    ):
        run_without_posix(tmp_path, neo4j_target, *words)
    found = driver.execute_query("MATCH (p:Person) RETURN count(p) AS people").records
    assert found[0]["people"] == 2
