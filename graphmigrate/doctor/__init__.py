"""A check-up of the network, the server and the database; it only reads."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from graphmigrate.doctor.network import NetworkChecks, ok
from graphmigrate.errors import GraphMigrateError
from graphmigrate.results import Check, Checkup, Health

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graphmigrate.settings import Loaded, Settings

    Step = tuple[str, Callable[[], Check]]


def configuration(loaded: Loaded, settings: Settings) -> Check:
    """Say where the settings came from, and what is odd about them."""
    file = f"{loaded.file}" if loaded.file else "no configuration file"
    address = loaded.origins.get("uri", "the project's local server")
    for problem in loaded.warnings:
        return Check("configuration", Health.FINDING, str(problem), problem.hint, problem.code)
    secret = loaded.origins.get("password") or ("the local server" if settings.password else "nowhere")
    return ok("configuration", f"{file}; address from {address}, password from {secret}")


def examine(settings: Settings, *, own_server: bool = False) -> Checkup:
    """Check everything, one after the other; what cannot be asked any more is skipped.

    ``own_server``: the project's local server, which is published on this machine only. Raises UsageError where the
    settings themselves are wrong. One sign-in is tried with Neo4j's initial password, see SECURITY.md.
    """
    from graphmigrate.doctor.server import ServerChecks, driver

    network, server = NetworkChecks(settings), ServerChecks(settings, own_server=own_server)
    needed: list[Step] = [
        ("host name", network.host),
        ("TCP", network.tcp),
        ("TLS", network.tls),
        ("Bolt", network.bolt),
        ("sign-in", server.sign_in),
        ("database", server.database),
        ("routing", server.routing),
    ]
    further: list[Step] = [
        ("version", server.version),
        ("rights", server.rights),
        ("initial password", server.initial_password),
        ("listening address", server.listening_address),
        ("clock", server.clock),
        ("ledger", server.ledger),
    ]
    with closing(network), closing(server):
        checks = list(_needed(needed, settings))
        if checks[-1].health in {Health.FAILED, Health.SKIPPED}:
            checks += [_skipped(name, "not asked") for name, _ in further]
        else:
            checks += [_tried(name, step, settings, Health.FINDING) for name, step in further]
    return Checkup(settings.uri, (driver(), *checks))


def _needed(steps: Iterable[Step], settings: Settings) -> Iterable[Check]:
    stopped = False
    for name, step in steps:
        check = _skipped(name, "not asked") if stopped else _tried(name, step, settings, Health.FAILED)
        stopped = stopped or check.health is Health.FAILED
        yield check


def _tried(name: str, step: Callable[[], Check], settings: Settings, otherwise: Health) -> Check:
    from graphmigrate.database.failures import DriverFailure, connection_failure

    try:
        return step()
    except GraphMigrateError as error:
        failure = error
    except DriverFailure as error:
        failure = connection_failure(error, settings)
        if failure.error_code == "GM310" and otherwise is Health.FINDING:
            return _skipped(name, f"this user may not look: {failure.message}")
    return Check(name, otherwise, failure.message, failure.hint, failure.error_code)


def _skipped(name: str, why: str) -> Check:
    return Check(name, Health.SKIPPED, why)
