"""``graphmigrate server``: a real local Neo4j, started, found and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from graphmigrate import server as api
from graphmigrate.cli.options import pass_cli
from graphmigrate.cli.render.json import plain
from graphmigrate.cli.render.style import clean_lines
from graphmigrate.errors import GraphMigrateError
from graphmigrate.server.docker import log_command
from graphmigrate.server.health import tail
from graphmigrate.server.state import Folder
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from graphmigrate.cli.context import CliContext
PREFIX = "GRAPHMIGRATE_SERVER_"


class ServerReport(Value):
    """The project's local server; where none runs, all but ``running`` is null. The password stays in its file."""

    running: bool
    provider: str | None = None
    version: str | None = None
    bolt_uri: str | None = None
    http_url: str | None = None
    browser_url: str | None = None
    username: str | None = None
    password_file: str | None = None
    data_dir: str | None = None
    ephemeral: bool | None = None
    pid: int | None = None
    container: str | None = None
    log_file: str | None = None


class StopReport(Value):
    """Whether a server ran that was stopped."""

    stopped: bool


class UrlReport(Value):
    """The server's Bolt URI, or the link to Neo4j Browser."""

    url: str


class NoServer(GraphMigrateError):
    """No server of this project runs."""

    code = "GM191"
    exit_code = 3


@click.group("server", no_args_is_help=True)
@pass_cli
def server(cli: CliContext) -> None:
    """Start and stop a real local Neo4j for development and tests.

    One server for each project; its data is kept in .graphmigrate/ there. Commands that are not told another database
    use it.
    """
    cli.check_output("server")


def _said(name: str, *declarations: str, **more: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an option that an environment variable can say as well."""
    return click.option(*declarations, envvar=PREFIX + name, **more)


@server.command("start")
@_said(
    "PROVIDER",
    "--provider",
    type=click.Choice(["docker", "jvm"]),
    help="Default: Docker where it can, else a JVM.",
)
@_said("VERSION", "--neo4j-version", metavar="VERSION", help="5.26 (default) or 2026.05.")
@_said("IMAGE", "--image", metavar="IMAGE", help="The Docker image; default: the version's public one.")
@_said(
    "PORT", "--port", type=click.IntRange(0, 65535), help="For Bolt; 0: any free one. Default: 7687 if free."
)
@_said("HEAP", "--heap", default="512m", show_default=True, metavar="SIZE", help="The most heap memory.")
@_said(
    "PAGE_CACHE", "--page-cache", default="64m", show_default=True, metavar="SIZE", help="Memory for pages."
)
@_said(
    "TIMEOUT",
    "--timeout",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for it.",
)
@click.option("--ephemeral", is_flag=True, help="Throw the data away at stop.")
@click.option("--no-auth", is_flag=True, help="Without a password.")
@pass_cli
def start(
    cli: CliContext,
    provider: str | None,
    neo4j_version: str | None,
    image: str | None,
    port: int | None,
    heap: str,
    page_cache: str,
    timeout: float,
    ephemeral: bool,
    no_auth: bool,
) -> None:
    """Start the server, or name the one that runs; returns when it answers queries."""
    options = api.ServerOptions(
        provider=provider,
        version=neo4j_version,
        port=port,
        ephemeral=ephemeral,
        auth=not no_auth,
        heap=heap,
        page_cache=page_cache,
        image=image,
        timeout=timeout,
    )
    running = api.start(_project(cli), options, cli.say)
    cli.result(_report(running), lambda _: _lines(running))


@server.command("stop")
@pass_cli
def stop(cli: CliContext) -> None:
    """Stop the server that 'start' started, and no other one."""
    stopped = api.stop(_project(cli), cli.say)
    cli.say("Stopped." if stopped else "No server of this project runs; nothing to stop.")
    cli.result(StopReport(stopped), lambda _: [])


@server.command("status")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where none runs.")
@click.pass_context
def status(ctx: click.Context, exit_code: bool) -> None:
    """Say whether the server runs, and where."""
    cli: CliContext = ctx.obj.cli
    running = api.find(_project(cli))
    if running is None:
        cli.result(ServerReport(False), lambda _: ["No server of this project runs."])
        ctx.exit(1 if exit_code else 0)
    cli.result(_report(running), lambda _: _lines(running))


@server.command("url")
@click.option("--browser", is_flag=True, help="Print the link to Neo4j Browser.")
@pass_cli
def url(cli: CliContext, browser: bool) -> None:
    """Print the server's Bolt URI."""
    running = api.find(_project(cli))
    if running is None:
        raise _no_server()
    text = api.browser_url(running) if browser else running.bolt_uri
    cli.result(UrlReport(text), lambda _: [text])


@server.command("logs")
@click.option("--follow", "-f", is_flag=True, help="Go on until interrupted.")
@click.option(
    "--lines", "-n", default=50, show_default=True, type=click.IntRange(0), help="How many of the last ones."
)
@pass_cli
def logs(cli: CliContext, follow: bool, lines: int) -> None:
    """Print what the server printed last; after it died or was stopped, too."""
    running = api.find(_project(cli))
    if running is not None and running.container:
        shown = subprocess.run(log_command(running.container, lines, follow=follow), check=False)  # noqa: S603
        raise click.exceptions.Exit(shown.returncode)
    folder = Folder(_project(cli))
    kept = (folder.home(ephemeral=each).log_file for each in (False, True))
    ages = {each.stat().st_mtime: each for each in kept if each.exists()}
    file = running.log_file if running else ages[max(ages)] if ages else None
    if file is None:
        raise _no_server()
    for line in tail(file, lines):
        cli.write(sys.stdout, clean_lines(line))
    if follow:
        _follow(cli, file)


def _project(cli: CliContext) -> Path:
    """Return the folder whose server is meant: that of the configuration file, as for every other command."""
    return cli.load().folder.absolute()


def _no_server() -> NoServer:
    return NoServer("No server of this project runs.", hint="Start one: graphmigrate server start")


def _lines(running: api.Server) -> list[str]:
    """Describe a server for people; the password stays in its file."""
    place = f"container {running.container[:12]}" if running.container else f"process {running.pid}"
    kept = "thrown away at stop" if running.ephemeral else str(running.data_dir)
    user = f"{running.username}, password in {running.password_file}" if running.username else "none needed"
    rows = {
        "Neo4j": f"{running.version} ({running.provider}, {place})",
        "Bolt": running.bolt_uri,
        "HTTP": running.http_url,
        "Browser": api.browser_url(running),
        "User": user,
        "Data": kept,
        "Stop it": api.stop_command(),
    }
    return [f"{name:<8} {clean_lines(text)}" for name, text in rows.items()]


def _report(running: api.Server) -> ServerReport:
    """Describe a server for programs."""
    names = [each for each in ServerReport._fields if hasattr(running, each)]
    values: dict[str, Any] = {name: plain(getattr(running, name)) for name in names}
    return ServerReport(True, browser_url=api.browser_url(running), **values)


def _follow(cli: CliContext, path: Path) -> None:
    """Print what is added to a file, from its beginning where it was made anew, until interrupted."""
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, os.SEEK_END)
        while path.exists():
            text = file.read()
            if text:
                cli.write(sys.stdout, clean_lines(text.rstrip("\n")))
            elif path.stat().st_size < file.tell():
                file.seek(0)
            else:
                time.sleep(0.2)
