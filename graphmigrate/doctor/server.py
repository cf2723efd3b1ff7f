"""What the server itself is asked, in READ sessions only."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from graphmigrate.database import diagnosis, queries
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.failures import DriverFailure, code_of
from graphmigrate.database.first_use import missing_constraints
from graphmigrate.database.lock import current_holder
from graphmigrate.database.records import read_run_record
from graphmigrate.database.target import facts_of, target_problems
from graphmigrate.doctor.network import finding, is_local, ok
from graphmigrate.errors import ConnectionFailed
from graphmigrate.events import ignore
from graphmigrate.migrations.workspace import Workspace
from graphmigrate.results import Check, Health
from graphmigrate.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphmigrate.settings import Settings

SKEW = 5.0
INITIAL = "neo4j"
_NO_TRANSACTION = "neo4j-transaction-999999999999"
_SETTINGS = (
    "dbms.security.auth_enabled",
    "server.bolt.listen_address",
    "server.bolt.tls_level",
    "server.http.enabled",
    "server.http.listen_address",
)
# "Neo4j v5 Long-Term Support" (neo4j.com/developer-blog): 5.26 is supported until June 2028, 4.4 was until November 2025.
LONG_TERM = {(5, 26): date(2028, 6, 30), (4, 4): date(2025, 11, 30)}
OLDEST = (5, 26)
_MONTHS_OF_GRACE = 3
_LONG_TERM_YEARS = 3  # "Upgrade and Migration Guide", "Version numbers": the window of a calendar LTS release
OTHERS = "other users' transactions"
# Each right, and the sets of actions of SHOW USER PRIVILEGES that grant it (Operations Manual, "Built-in roles and privileges").
NEEDED = {
    "reading": ({"match"}, {"traverse", "read"}, {"graph_actions"}),
    "writing": (
        {"write"},
        {"graph_actions"},
        {"create_element", "delete_element", "set_label", "remove_label", "set_property"},
    ),
    "constraints and indexes": (
        {"constraint", "index"},
        {"database_actions"},
        {"create_constraint", "drop_constraint", "create_index", "drop_index"},
    ),
    "new labels, types and property names": (
        {"token"},
        {"database_actions"},
        {"create_label", "create_reltype", "create_propertykey"},
    ),
    OTHERS: (
        {"transaction_management"},
        {"database_actions"},
        {"show_transaction", "terminate_transaction"},
    ),
}


def driver() -> Check:
    """Say which driver is installed, and whether its faster half is."""
    installed = version("neo4j")
    try:
        return ok("driver", f"neo4j {installed} with its Rust extension {version('neo4j-rust-ext')}")
    except PackageNotFoundError:
        return finding(
            "driver",
            f"neo4j {installed} without its Rust extension: seeds load at two thirds of the speed.",
            f"pip install 'neo4j-rust-ext=={installed}.*'",
        )


class ServerChecks:
    """The server behind the settings. ``direct`` talks to the very address, ``workspace`` as every command does."""

    def __init__(self, settings: Settings, *, own_server: bool = False) -> None:
        self.settings = settings
        self.own_server = own_server
        self.workspace = Workspace(settings, None, ignore)
        self._direct_settings = replace(
            settings, uri=f"bolt{settings.uri.removeprefix('neo4j').removeprefix('bolt')}", database="system"
        )
        self.direct = Workspace(self._direct_settings, None, ignore)
        self._databases: list[dict[str, Any]] = []
        self._server_settings: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self.workspace.close()
        self.direct.close()

    def sign_in(self) -> Check:
        """Send the user name and the password."""
        rows = self.direct.database.read(queries.CURRENT_USER)
        try:
            found = self.direct.database.read(queries.SERVER_SETTINGS, names=list(_SETTINGS))
        except DriverFailure:
            found = []  # not every user may see them
        self._server_settings = {row["name"]: row["value"] for row in found}
        return ok("sign-in", f"as {rows[0]['user']}" if rows else "nobody is asked for a password")

    def database(self) -> Check:
        """Find the database, its kind and its state."""
        rows = [row.data() for row in self.direct.database.read(queries.DATABASES)]
        wanted = (self.settings.database or next((r["name"] for r in rows if r["home"]), "")).lower()
        self._databases = [row for row in rows if wanted in {row["name"].lower(), *row["aliases"]}]
        if not self._databases:
            names = ", ".join(sorted({row["name"] for row in rows}))
            raise ConnectionFailed(
                f"There is no database {wanted!r} at {self.settings.uri}; this user sees: {names}.",
                hint="Set NEO4J_DATABASE, or create it.",
                code="GM309",
            )
        if all(row["currentStatus"] != "online" for row in self._databases):
            row = self._databases[0]
            raise ConnectionFailed(
                f"The database {wanted!r} is {row['currentStatus']}. {row['statusMessage']}".strip(),
                hint=f"START DATABASE {wanted}, or see the server's log.",
                code="GM309",
            )
        name = self._databases[0]["name"]
        for problem in target_problems(name, "", facts_of(rows, name)):
            return Check("database", Health.FINDING, problem.message, problem.hint, problem.code)
        home = "" if self.settings.database else ", the user's home database"
        return ok("database", f"{wanted} is online{home}")

    def routing(self) -> Check:
        """Talk to the database as every command does, by way of a routing table where the scheme asks for one."""
        members = sorted({row["address"] for row in self._databases})
        if self.settings.uri.startswith("bolt"):
            self.workspace.target  # noqa: B018 - raises what is wrong
            if len(members) > 1:
                return finding(
                    "routing",
                    f"A cluster of {len(members)} servers is addressed as a single one.",
                    f"Write neo4j{self.settings.uri.removeprefix('bolt')}: writes then find the leader.",
                )
            return ok("routing", "a single server, addressed as such")
        unreachable = [member for member in members if not self._answers(member)]
        if unreachable:
            raise ConnectionFailed(
                f"The server says that the database is at {', '.join(unreachable)}, which does not answer from here.",
                hint="Set server.bolt.advertised_address to what clients can reach, or use bolt:// for a single server.",
                code="GM306",
            )
        self.workspace.target  # noqa: B018 - raises what is wrong
        return ok("routing", f"{', '.join(members)} can be reached")

    def _answers(self, member: str) -> bool:
        scheme = self.settings.uri.partition("://")[0]
        address = diagnosis.address_of(f"{scheme}://{member}")
        try:
            if address:
                diagnosis.reach(address, self.settings.connection_timeout).close()
        except ConnectionFailed:
            return False
        return address is not None

    def version(self) -> Check:
        """Judge the server's release."""
        target = self.workspace.target
        release = f"Neo4j {target.version}, {target.edition} edition"
        for problem in target_problems(target.database, target.version):
            return Check("version", Health.FINDING, problem.message, problem.hint, problem.code)
        trouble = trouble_with(target.version, datetime.now(UTC).date())
        if trouble:
            tested = (
                " graphmigrate is tested with 5.26 and later." if _series(target.version) < OLDEST else ""
            )
            hint = f"Upgrade: see 'Supported versions' on neo4j.com.{tested}"
            return finding("version", f"{release}, {trouble}.", hint)
        return ok("version", f"{release}, still gets fixes")

    def rights(self) -> Check:
        """Try what can be tried without writing; on Enterprise Edition read the privileges for the rest."""
        database, target = self.workspace.database, self.workspace.target
        database.read(queries.ANY_NODE)
        read_catalogue(database)
        current_holder(database)
        database.read(queries.TERMINATE, ids=[_NO_TRANSACTION])
        if all(row["access"] == "read-only" for row in self._databases):
            return finding(
                "rights",
                f"The database {target.database} is read-only for everybody: migrations and seeds cannot be applied.",
                "Change server.databases.read_only (or ALTER DATABASE … SET ACCESS READ WRITE).",
            )
        if target.edition != "enterprise":
            return ok("rights", f"all: in {target.edition.title()} Edition every user has them")
        return judge_rights((row.data() for row in database.read(queries.PRIVILEGES)), target.database)

    def initial_password(self) -> Check:
        """Try Neo4j's initial password, once: everybody knows it."""
        if self._server_settings.get("dbms.security.auth_enabled") == "false":
            return finding(
                "initial password",
                "Authentication is off: everybody who reaches the port may do anything.",
                "dbms.security.auth_enabled=true, and neo4j-admin dbms set-initial-password",
            )
        stranger = replace(self._direct_settings, username=INITIAL, password=Secret(INITIAL))
        workspace = Workspace(stranger, None, ignore)
        try:
            workspace.database.read(queries.CURRENT_USER)
        except DriverFailure as error:
            code = code_of(error)
            if code.endswith("Unauthorized"):
                return ok("initial password", "neo4j/neo4j was tried once and refused")
            if code.endswith("AuthenticationRateLimit"):
                return ok("initial password", "the server checks no password of neo4j now, after wrong ones")
            if not code.endswith("CredentialsExpired"):
                raise
        finally:
            workspace.close()
        return finding(
            "initial password",
            "The user neo4j still has Neo4j's initial password, neo4j.",
            "ALTER CURRENT USER SET PASSWORD FROM <old> TO <new>, each in quotes, run as that user in the database system",
        )

    def listening_address(self) -> Check:
        """Judge where the server listens, and whether it takes unencrypted connections there."""
        return listening(self._server_settings, own_server=self.own_server)

    def clock(self) -> Check:
        """Compare the server's clock with this machine's."""
        before = time.time()
        now = self.workspace.database.read(queries.SERVER_TIME)[0]["now"].to_native().timestamp()
        after = time.time()
        skew = now - (before + after) / 2
        if abs(skew) > SKEW + (after - before) / 2:
            return finding(
                "clock",
                f"The server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's.",
                "Let both follow a time server: times in the history and certificates depend on it.",
            )
        return ok("clock", f"the server's differs by {abs(skew):.1f} s at most")

    def ledger(self) -> Check:
        """Say how the history stands, who works on it, and whether a run died."""
        database, history = self.workspace.database, self.workspace.history()
        holder = current_holder(database)
        if holder:
            since = f" since {holder.since:%Y-%m-%d %H:%M:%S}" if holder.since else ""
            doing = f", now at {holder.doing}" if holder.doing else ""
            return ok("ledger", f"a run of {holder.user} on {holder.host} is at work{since}{doing}")
        record = read_run_record(database, history.record) if history.record else None
        if record:
            since = f", begun at {record.since:%Y-%m-%d %H:%M:%S}," if record.since else ""
            return finding(
                "ledger",
                f"A run of {record.user} on {record.host}{since} did not end.",
                "Run graphmigrate migrate: it completes the history and goes on; nothing has to be unlocked.",
            )
        if not history.initialised:
            return ok("ledger", "none yet: the first 'migrate' makes it")
        for problem in (*missing_constraints(database, history), *history.warnings):
            return finding("ledger", problem.message, problem.hint or "")
        at = f"at version {history.highest.text}" if history.highest else "empty"
        return ok("ledger", f"{at}, no run is at work")


def listening(settings: dict[str, str], *, own_server: bool) -> Check:
    """Judge settings of the server, as SHOW SETTINGS lists them."""
    name = "listening address"
    bolt = settings.get("server.bolt.listen_address")
    if bolt is None:
        return Check(name, Health.SKIPPED, "not visible to this user")
    http = (
        settings.get("server.http.listen_address", "")
        if settings.get("server.http.enabled") == "true"
        else ""
    )
    open_ones = []
    if settings.get("server.bolt.tls_level") != "REQUIRED" and not is_local([bolt.rpartition(":")[0]]):
        open_ones.append(f"Bolt on {bolt}")
    if http and not is_local([http.rpartition(":")[0]]):
        open_ones.append(f"HTTP on {http}")
    if own_server or not open_ones:
        return ok(
            name,
            f"Bolt on {bolt}{', this machine only' if own_server or is_local([bolt.rpartition(':')[0]]) else ''}",
        )
    return finding(
        name,
        f"Takes unencrypted connections from other machines: {' and '.join(open_ones)}.",
        "Listen on 127.0.0.1, or require TLS (server.bolt.tls_level=REQUIRED, server.http.enabled=false); a container's "
        "port is kept on this machine by -p 127.0.0.1:7687:7687.",
    )


def trouble_with(release: str, today: date) -> str | None:
    """Return what is wrong with a release's age; None where it still gets fixes.

    Calendar releases get fixes until the next one comes, about monthly; a few months of grace are given, because no table
    here knows what was released since.
    """
    series = _series(release)
    if series in LONG_TERM:
        return None if today <= LONG_TERM[series] else f"got its last fix by {LONG_TERM[series]:%B %Y}"
    if series < OLDEST:
        return "gets no fixes any more"
    if series[0] < 2025 or series[0] > 9000:
        return None
    age = (today.year - series[0]) * 12 + today.month - series[1]
    allowed = 12 * _LONG_TERM_YEARS if "LTS" in release.upper() else _MONTHS_OF_GRACE
    if age > allowed:
        return f"is {age} months old, and a release of this kind gets fixes until the next one only"
    return None


def _series(release: str) -> tuple[int, int]:
    """Return the first two numbers of a release; one that has none counts as newer than any."""
    numbers = re.match(r"(\d+)\.(\d+)", release)
    return (int(numbers[1]), int(numbers[2])) if numbers else (9999, 0)


def judge_rights(privileges: Iterable[Mapping[str, str]], database: str) -> Check:
    """Return the check of what is missing; who migrates alone needs no other users' transactions."""
    lacking = missing_rights(privileges, database)
    needed = [right for right in lacking if right != OTHERS]
    if needed:
        return finding(
            "rights",
            f"This user lacks: {', '.join(needed)}.",
            "Grant what is missing, or: GRANT ROLE architect TO the user (admin where several users migrate one "
            "database). 'status' and 'plan' only read.",
        )
    have = "reading, writing, constraints and indexes"
    if lacking:
        return ok(
            "rights", f"{have}; not {OTHERS}, which matters only where several users migrate one database"
        )
    return ok("rights", f"{have}, {OTHERS}")


def missing_rights(privileges: Iterable[Mapping[str, str]], database: str) -> list[str]:
    """Return the rights that are not granted for the database; a DENY of an action takes it away.

    Rows are those of SHOW USER PRIVILEGES. Rights by label or property count as granted: they are the administrator's
    choice. Untested on a real Enterprise Edition.
    """
    granted: set[str] = set()
    denied: set[str] = set()
    for row in privileges:
        if row["graph"] in {"*", database, "DEFAULT", "HOME"}:
            (denied if row["access"] == "DENIED" else granted).add(row["action"])
    have = granted - denied
    return [name for name, ways in NEEDED.items() if not any(way <= have for way in ways)]
