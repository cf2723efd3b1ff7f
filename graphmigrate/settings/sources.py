"""Where settings are written: flags, environment, ``.env``, ``graphmigrate.toml``, ``pyproject.toml``."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from graphmigrate.errors import Place, Problem, Severity, UsageError, closest, raise_all
from graphmigrate.settings.files import (
    CONFIG,
    PYPROJECT,
    config_file,
    find_project,
    has_table,
    place_of,
    read_dotenv,
)
from graphmigrate.settings.model import (
    Loaded,
    Secret,
    Settings,
    check_ca_file,
    check_uri,
    with_database_of_address,
)
from graphmigrate.settings.placeholders import SET_PREFIX, Placeholders
from graphmigrate.settings.values import (
    EXAMPLES,
    allowances_of,
    boolean_of,
    is_world_readable,
    kind_of,
    ledger_of,
    number_of,
    read_secret,
    reason,
    text_of,
    variables_of,
    word_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "GRAPHMIGRATE_"
TYPES = {
    each.name: str(each.type).removesuffix(" | None")
    for each in fields(Settings)
    if each.name not in {"driver_options", "placeholders"}
}
NAMES = (*TYPES, "password_file")
# Variables of the command line that are no settings; those of the local server, which count in the real environment
# only too; those of our tests.
OTHER_VARIABLES = (
    "config",
    "env_file",
    "output",
    "quiet",
    "debug",
    "log_format",
    "log_level",
    "seed",
    "timeout",
)
SERVER_PREFIX = f"{PREFIX}SERVER_"
TEST_PREFIX = f"{PREFIX}TEST_"
# What other programs read, with the setting that is meant.
READ_ELSEWHERE = {
    "NEO4J_USER": "username",
    "NEO4J_PASS": "password",
    "NEO4J_URL": "uri",
    "NEO4J_HOST": "uri",
    "NEO4J_DB": "database",
}
WORDS = {
    "check_data": ("auto", "always", "never"),
    "version_order": ("semantic", "lexicographic"),
}
MINIMUM = {"lock_timeout": 0.0}


class Written(NamedTuple):
    """One value as it is written, with the name of where it stands; paths in it begin at ``base``."""

    value: Any
    label: str
    base: Path
    place: Place | None = None


Layer = dict[str, Written]


class Reader:
    """Reads every source once, collects all problems, takes each setting from the first layer that has it."""

    def __init__(
        self,
        flags: Mapping[str, Any],
        folder: Path,
        config: Path | None,
        env_file: Path | None,
        environment: Mapping[str, str] | None,
    ) -> None:
        self.environment = os.environ if environment is None else environment
        self.flags = flags
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        config = config or self._path_variable("config")
        self.env_file = env_file or self._path_variable("env_file")
        self.placeholders = Placeholders(flags.get("set") or ())
        self.folder = config.parent if config else find_project(folder)
        self.config = config

    def load(self, *, connect: bool) -> Loaded:
        """Read, choose and check; raises UsageError with every problem."""
        layers = [self._flags(), *self._variables(self.environment, ""), *self._dotenv(), self._file()]
        chosen = {name: each for name in TYPES if (each := _first(layers, name))}
        values = {name: self._parse(name, each) for name, each in chosen.items() if name != "password"}
        for name in ("migrations", "seeds"):
            values.setdefault(name, self.folder / getattr(Settings(), name))
        if "migrations" in chosen:  # who names a folder expects migrations in it
            values.setdefault("allow_empty", False)
        secret = self._password(layers, read=connect)
        values["placeholders"], found = self.placeholders.read(secret)
        self.problems += [problem for problem in found if problem.severity is Severity.ERROR]
        self.warnings += [problem for problem in found if problem.severity is Severity.WARNING]
        self._raise()
        if secret:
            values["password"] = secret
            values.setdefault("username", "neo4j")
        settings = Settings(**values)
        origins = {name: each.label for name, each in chosen.items()}
        if secret:
            origins["password"] = next(
                (layer.get("password") or layer["password_file"]).label
                for layer in layers
                if layer.keys() & {"password", "password_file"}
            )
        if connect:
            self._name_other_variables(origins)
            self._name_blanks(settings, origins)
        if connect and settings.uri:
            if "@" not in settings.uri:  # else a password would be taken for a part of the address
                settings = with_database_of_address(settings, origins)
            check_uri(settings.uri, origins["uri"])
            check_ca_file(settings, origins.get("ca_file", ""))
        return Loaded(settings, self.folder, self.config, origins, tuple(self.warnings))

    def _name_other_variables(self, origins: Mapping[str, str]) -> None:
        """Warn of a variable that other programs read for a setting that nothing sets here."""
        for variable, name in READ_ELSEWHERE.items():
            if self.environment.get(variable) and name not in origins:
                example = "=bolt://HOST:7687" if name == "uri" else ""
                message = f"{variable} is set, but graphmigrate does not read it."
                hint = f"Set NEO4J_{name.upper()}{example}"
                self.warnings.append(Problem("GM157", message, hint, severity=Severity.WARNING))

    def _name_blanks(self, settings: Settings, origins: Mapping[str, str]) -> None:
        """Warn of a blank or line break around a name or secret, which the server would take literally."""
        for name in ("username", "password", "database"):
            value = getattr(settings, name)
            if value and value != value.strip():
                message = f"{origins[name]} begins or ends with a blank or a line break."
                hint = "Remove it, unless it belongs to the value."
                self.warnings.append(Problem("GM158", message, hint, severity=Severity.WARNING))

    def _flags(self) -> Layer:
        given = {name: value for name, value in self.flags.items() if value is not None}
        return {
            name: Written(value, f"--{name.replace('_', '-')}", Path())
            for name, value in given.items()
            if name in NAMES
        }

    def _path_variable(self, name: str) -> Path | None:
        value = self.environment.get(PREFIX + name.upper())
        return Path(value) if value else None

    def _variables(self, variables: Mapping[str, str | None], suffix: str) -> list[Layer]:
        """Return three layers: ours, Neo4j's, and NEO4J_AUTH as the Neo4j Docker image reads it."""
        base = self.folder if suffix else Path()
        own: Layer = {}
        general: Layer = {}
        for key, value in variables.items():
            if key.startswith(SET_PREFIX):
                self.placeholders.give(key.removeprefix(SET_PREFIX), value, key + suffix)
            elif key.startswith(PREFIX):
                name = key.removeprefix(PREFIX).lower()
                if name not in NAMES:
                    self._unknown_variable(key, name, suffix)
                elif value:
                    own[name] = Written(value, key + suffix, base)
        for name in ("uri", "username", "password", "password_file", "database", "ca_file"):
            value = variables.get(f"NEO4J_{name.upper()}")
            if value:
                general[name] = Written(value, f"NEO4J_{name.upper()}{suffix}", base)
        return [own, general, self._auth(variables.get("NEO4J_AUTH"), f"NEO4J_AUTH{suffix}", base)]

    def _unknown_variable(self, key: str, name: str, suffix: str) -> None:
        known = name in OTHER_VARIABLES or key.startswith(SERVER_PREFIX)
        if known and suffix:
            text = f"{key}{suffix} was ignored: it counts in the real environment only."
            self.warnings.append(Problem("GM157", text, f"export {key}=…", severity=Severity.WARNING))
        if known or key.startswith(TEST_PREFIX):
            return
        near = closest(name, NAMES)
        if near:
            text = f"The environment variable {key}{suffix} is not known and was ignored."
            hint = f"Did you mean {PREFIX}{near.upper()}?"
            self.warnings.append(Problem("GM157", text, hint, severity=Severity.WARNING))

    def _auth(self, value: str | None, label: str, base: Path) -> Layer:
        if not value or value == "none":
            return {}
        username, separator, password = value.partition("/")
        if not separator or not username or not password:
            self.problems.append(
                Problem(
                    "GM158",
                    f"{label} is not of the form USER/PASSWORD.",
                    "Or set NEO4J_USERNAME and NEO4J_PASSWORD.",
                )
            )
            return {}
        return {"username": Written(username, label, base), "password": Written(password, label, base)}

    def _dotenv(self) -> list[Layer]:
        path = self.env_file or self.folder / ".env"
        if self.env_file is None and not path.is_file():
            return []
        variables, problems = read_dotenv(path)
        self.warnings += problems
        return self._variables(variables, f" in {path}")

    def _file(self) -> Layer:
        found = config_file(self.config, self.folder)
        if found is None:
            return {}
        self.config, text, table = found
        if self.config.name == CONFIG and has_table(self.folder / PYPROJECT):
            message = f"[tool.graphmigrate] in {PYPROJECT} is ignored, because there is a {CONFIG}."
            self.warnings.append(Problem("GM156", message, "Keep one of the two.", severity=Severity.WARNING))
        layer: Layer = {}
        for key, value in table.items():
            name = key.replace("-", "_")
            place = place_of(self.config, text, key)
            if name == "placeholders":
                self.placeholders.list_names(value, place)
            elif name == "password":
                hint = (
                    "Secrets come from NEO4J_PASSWORD, .env, --password-file or --password; remove the line."
                )
                self.problems.append(
                    Problem("GM155", "A password does not belong into this file.", hint, place)
                )
            elif name not in NAMES or name in layer:
                self.problems.append(_unknown_key(key, place, known=name in layer))
            else:
                layer[name] = Written(value, f"'{key}' in {self.config}", self.config.parent, place)
        return layer

    def _parse(self, name: str, written: Written) -> Any:
        kind = TYPES[name]
        try:
            if kind == "Path":
                return written.base / Path(text_of(written.value)).expanduser()
            if kind == "bool":
                return boolean_of(written.value)
            if kind in {"int", "float"}:
                return number_of(written.value, whole=kind == "int", minimum=MINIMUM.get(name))
            if name == "env_allowed":
                return variables_of(written.value)
            if name == "allow":
                return allowances_of(written.value)
            if name in WORDS:
                return word_of(written.value, WORDS[name])
            return ledger_of(written.value) if name == "ledger" else text_of(written.value)
        except ValueError as error:
            # A value is named but not repeated: it may be a secret that stands under the wrong name.
            message = f"{written.label} must be {error}, not {kind_of(written.value)}."
            self.problems.append(Problem("GM158", message, EXAMPLES.get(kind), written.place))
            return getattr(Settings(), name)

    def _password(self, layers: list[Layer], *, read: bool) -> Secret | None:
        for layer in layers:
            direct, in_file = layer.get("password"), layer.get("password_file")
            if direct and in_file:
                message = f"There are two passwords: {direct.label} and {in_file.label}."
                self.problems.append(Problem("GM160", message, "Give only one of them.", in_file.place))
                return None
            if direct:
                return Secret(direct.value)
            if in_file:
                return self._password_file(in_file) if read else None
        return None

    def _password_file(self, written: Written) -> Secret | None:
        try:
            path = written.base / Path(text_of(written.value)).expanduser()
            secret = read_secret(path)
        except ValueError as error:
            message = f"{written.label} must be {error}, not {kind_of(written.value)}."
            self.problems.append(Problem("GM158", message, None, written.place))
            return None
        except OSError as error:
            message = f"The password file {str(written.value)!r} ({written.label}) {reason(error)}."
            self.problems.append(
                Problem("GM160", message, "Name a readable file that holds the password alone.")
            )
            return None
        if is_world_readable(path):
            message = f"Everybody on this machine can read the password file {str(path)!r}."
            self.warnings.append(Problem("GM155", message, f"chmod 600 {path}", severity=Severity.WARNING))
        return secret

    def _raise(self) -> None:
        if self.problems:
            code = self.problems[0].code
            raise_all(self.problems, UsageError, "{count} problems in the configuration.", code=code)


def _first(layers: list[Layer], name: str) -> Written | None:
    return next((layer[name] for layer in layers if name in layer), None)


def _unknown_key(key: str, place: Place, *, known: bool) -> Problem:
    if known:
        return Problem("GM157", f"The setting {key!r} stands here twice.", "Remove one of the two.", place)
    settings = cast(list[str], [name for name in NAMES if name != "password"])
    near = closest(key.replace("-", "_"), settings)
    hint = f"Did you mean {near!r}?" if near else f"Known settings: {', '.join(sorted(settings))}."
    return Problem("GM157", f"Unknown setting {key!r}.", hint, place)
