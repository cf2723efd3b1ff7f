"""Where settings come from, and which source wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.errors import Severity, UsageError
from graphmigrate.settings import Loaded, Secret, Settings, describe, load
from graphmigrate.settings.sources import NAMES

AURA = """\
# Wait 60 seconds before connecting using these details, or login to https://console.neo4j.io to validate
NEO4J_URI=neo4j+s://abcd1234.databases.neo4j.io
NEO4J_USERNAME=neo4j
NEO4J_PASSWORD=kV7-long_AURA_password
NEO4J_DATABASE=neo4j
AURA_INSTANCEID=abcd1234
AURA_INSTANCENAME=Instance01
"""


def read(folder: Path, environment: dict[str, str] | None = None, **more: object) -> Loaded:
    return load(more.pop("flags", {}), folder=folder, environment=environment or {}, **more)


def refused(folder: Path, environment: dict[str, str] | None = None, **more: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(folder, environment, **more)
    assert caught.value.exit_code == 2
    return caught.value


def test_defaults_without_any_source(tmp_path: Path) -> None:
    loaded = read(tmp_path)
    assert loaded.settings == Settings(migrations=tmp_path / "migrations", seeds=tmp_path / "seeds")
    assert loaded.warnings == ()


def test_the_order_is_flag_environment_dotenv_file_default(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").write_text('uri = "bolt://file"\ndatabase = "file"\nledger = "file"\n')
    (tmp_path / ".env").write_text("NEO4J_URI=bolt://dotenv\nNEO4J_DATABASE=dotenv\n")
    environment = {"NEO4J_URI": "bolt://environment"}
    everything = read(tmp_path, environment, flags={"uri": "bolt://flag"})
    assert everything.settings.uri == "bolt://flag"
    assert everything.settings.database == "dotenv"
    assert everything.settings.ledger == "file"
    assert everything.settings.lock_timeout == 600
    assert read(tmp_path, environment).settings.uri == "bolt://environment"
    assert read(tmp_path).settings.uri == "bolt://dotenv"
    (tmp_path / ".env").unlink()
    assert read(tmp_path).settings.uri == "bolt://file"


def test_our_variable_beats_the_general_one(tmp_path: Path) -> None:
    environment = {"GRAPHMIGRATE_URI": "bolt://ours", "NEO4J_URI": "bolt://general"}
    assert read(tmp_path, environment).settings.uri == "bolt://ours"


def test_auras_file_works_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(AURA)
    loaded = read(tmp_path)
    assert loaded.settings.uri == "neo4j+s://abcd1234.databases.neo4j.io"
    assert loaded.settings.username == "neo4j"
    assert loaded.settings.password == "kV7-long_AURA_password"
    assert loaded.settings.database == "neo4j"
    assert loaded.warnings == ()


def test_auras_file_under_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "Neo4j-abcd1234-Created-2026-01-31.txt"
    file.write_text("\ufeff" + AURA.replace("\n", "\r\n"))
    assert read(tmp_path, env_file=file).settings.password == "kV7-long_AURA_password"
    assert refused(tmp_path, env_file=tmp_path / "nowhere").error_code == "GM156"


def test_a_dotenv_line_that_is_not_understood_is_named_without_its_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NEO4J_USERNAME=me\nNEO4J_PASSWORD='open secret\n")
    loaded = read(tmp_path)
    (warning,) = loaded.warnings
    assert (warning.code, warning.place.line, warning.severity) == ("GM156", 2, Severity.WARNING)
    assert "open secret" not in str(warning) + str(warning.hint) + str(warning.place.source)
    assert loaded.settings.username == "me"


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").write_text('database = "file"\n')
    environment = {"NEO4J_URI": "", "NEO4J_DATABASE": "", "NEO4J_PASSWORD": "", "GRAPHMIGRATE_LEDGER": ""}
    settings = read(tmp_path, environment).settings
    assert (settings.uri, settings.database, settings.password) == ("", "file", None)


SAMPLES = {
    "uri": "bolt://h",
    "password": "verysecret",
    "allow_empty": "true",
    "check_data": "always",
    "lock_timeout": "0",
    "index_timeout": "12.5",
    "connection_timeout": "3",
    "max_statement_size": "1000",
    "heartbeat": "1",
    "stale_after": "30",
    "preflight_connections": "2",
    "batch_rows": "10",
    "batch_bytes": "1000",
    "seed_sessions": "3",
    "protected": "true",
    "allow": "any-label=V7",
    "version_order": "lexicographic",
}


@pytest.mark.parametrize("name", [each for each in NAMES if each != "password_file"])
def test_every_setting_can_come_from_the_environment(tmp_path: Path, name: str) -> None:
    written = SAMPLES.get(name, "something")
    loaded = read(tmp_path, {f"GRAPHMIGRATE_{name.upper()}": written})
    value = getattr(loaded.settings, name)
    default = getattr(Settings(), name)
    expected = type(default)(written) if isinstance(default, (int, float)) else type(value)(written)
    assert value == ((written,) if isinstance(default, tuple) else expected)
    assert value != default
    assert type(value) is type(default) or default is None or isinstance(value, Path)
    assert loaded.warnings == ()


def test_paths_in_a_file_begin_at_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "db"
    folder.mkdir()
    config = folder / "graphmigrate.toml"
    config.write_text('migrations = "changes"\n')
    loaded = read(tmp_path, config=config)
    assert loaded.settings.migrations == folder / "changes"
    assert loaded.settings.seeds == folder / "seeds"
    assert loaded.folder == folder
    assert read(tmp_path, config=config, flags={"migrations": "here"}).settings.migrations == Path("here")
    assert read(tmp_path, {"GRAPHMIGRATE_CONFIG": str(config)}).file == config


def test_in_the_current_folder_paths_stay_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graphmigrate.toml").write_text('seeds = "data"\n')
    settings = load(environment={}).settings
    assert (settings.migrations, settings.seeds) == (Path("migrations"), Path("data"))


def test_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[tool.graphmigrate]\nlock-timeout = 7\n'
    )
    loaded = read(tmp_path)
    assert loaded.settings.lock_timeout == 7
    assert loaded.file == tmp_path / "pyproject.toml"
    (tmp_path / "graphmigrate.toml").write_text("lock_timeout = 8\n")
    both = read(tmp_path)
    assert both.settings.lock_timeout == 8
    assert [each.code for each in both.warnings] == ["GM156"]


def test_a_pyproject_of_others_is_not_even_parsed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("this is not TOML")
    assert read(tmp_path).file is None


def test_unknown_keys_are_errors_with_a_suggestion_at_their_line(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").write_text('# settings\nmigration = "x"\n\n[server]\nport = 1\n')
    error = refused(tmp_path)
    first, second = error.problems
    assert (first.code, first.place.line, first.hint) == ("GM157", 2, "Did you mean 'migrations'?")
    assert (second.code, second.place.line) == ("GM157", 4)
    assert "lock_timeout" in second.hint


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("lock_timeout = 'soon'", "a number"),
        ("lock_timeout = true", "a number"),
        ("lock_timeout = -1", "a number from 0 upwards"),
        ("heartbeat = 0", "a number above zero"),
        ("index_timeout = nan", "a number above zero"),
        ("batch_rows = 2.5", "a whole number"),
        ("database = 7", "a text"),
        ("database = ' '", "a text"),
        ("migrations = ['a']", "a text"),
        ("ledger = 'a/b'", "a name"),
    ],
)
def test_wrong_types_name_file_key_and_line(tmp_path: Path, line: str, wanted: str) -> None:
    (tmp_path / "graphmigrate.toml").write_text(f"\n{line}\n")
    error = refused(tmp_path)
    assert error.error_code == "GM158"
    assert f"'{line.split()[0]}' in {tmp_path / 'graphmigrate.toml'} must be {wanted}" in error.message
    assert error.place.line == 2


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, {"GRAPHMIGRATE_BATCH_ROWS": "many"})
    assert error.message == "GRAPHMIGRATE_BATCH_ROWS must be a whole number, not this text."


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e999"])
def test_no_odd_numbers(tmp_path: Path, word: str) -> None:
    assert refused(tmp_path, {"GRAPHMIGRATE_LOCK_TIMEOUT": word}).error_code == "GM158"


def test_bad_toml_is_shown_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").write_text('uri = "bolt://x"\nseeds = = 1\n')
    error = refused(tmp_path)
    assert (error.error_code, error.place.line, error.place.source) == ("GM156", 2, "seeds = …")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('url = "bolt://neo4j:hunter22@host"', "GM157"),
        ('auth = "neo4j/hunter22"', "GM157"),
        ("uri = bolt://neo4j:hunter22@host", "GM156"),
        ('uri = ["bolt://neo4j:hunter22@host"]', "GM158"),
        ('[uri."neo4j:hunter22"]', "GM158"),
    ],
)
def test_no_value_of_a_wrong_line_is_shown(tmp_path: Path, line: str, code: str) -> None:
    (tmp_path / "graphmigrate.toml").write_text(f"{line}\n")
    error = refused(tmp_path)
    assert error.error_code == code
    assert error.place.line == 1
    assert "hunter22" not in str(error.place.source)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"caf\xe9 = 1"])
def test_a_file_that_is_not_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "graphmigrate.toml").write_bytes(content)
    assert refused(tmp_path).error_code == "GM156"


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    assert refused(tmp_path, config=tmp_path / "other.toml").error_code == "GM156"
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert "[tool.graphmigrate]" in refused(tmp_path, config=tmp_path / "pyproject.toml").message


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").mkdir()
    assert refused(tmp_path).error_code == "GM156"


def test_an_unknown_variable_that_looks_like_ours_is_told(tmp_path: Path) -> None:
    loaded = read(
        tmp_path, {"GRAPHMIGRATE_LOCK_TIMOUT": "5", "GRAPHMIGRATE_TEST_URI": "x", "GRAPHMIGRATE_QUIET": "1"}
    )
    (warning,) = loaded.warnings
    assert (warning.code, warning.hint) == ("GM157", "Did you mean GRAPHMIGRATE_LOCK_TIMEOUT?")


@pytest.mark.parametrize("name", ["SERVER_PORT", "TIMEOUT", "SEED", "QUIET", "CONFIG"])
def test_what_counts_in_the_real_environment_only_is_told_of_a_file(tmp_path: Path, name: str) -> None:
    variable = f"GRAPHMIGRATE_{name}"
    assert read(tmp_path, {} if name == "CONFIG" else {variable: "1"}).warnings == ()
    (tmp_path / ".env").write_text(f"{variable}=1\n")
    (warning,) = read(tmp_path).warnings
    assert (warning.code, warning.severity) == ("GM157", Severity.WARNING)
    assert (
        warning.message
        == f"{variable} in {tmp_path / '.env'} was ignored: it counts in the real environment only."
    )
    assert warning.hint == f"export {variable}=…"


class TestPasswords:
    def test_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_bytes(b" with spaces \r\n")
        file.chmod(0o600)
        loaded = read(tmp_path, {"NEO4J_PASSWORD_FILE": str(file)})
        assert loaded.settings.password == " with spaces "
        assert isinstance(loaded.settings.password, Secret)
        assert loaded.settings.username == "neo4j"
        [warning] = loaded.warnings
        assert warning.message == "NEO4J_PASSWORD_FILE begins or ends with a blank or a line break."

    def test_a_file_named_in_the_configuration_is_relative_to_it(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("pw-in-file")
        (tmp_path / "graphmigrate.toml").write_text('password_file = "secret"\n')
        assert read(tmp_path).settings.password == "pw-in-file"

    def test_world_readable_is_warned_about(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text("pw")
        file.chmod(0o644)
        (warning,) = read(tmp_path, flags={"password_file": str(file)}).warnings
        assert warning.code == "GM155"
        assert "chmod 600" in warning.hint

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (None, "No such file"),
            (b"", "empty"),
            (b"\n", "empty"),
            (b"a\nb\n", "one line"),
            (b"\xff", "UTF-8"),
        ],
    )
    def test_unusable_files(self, tmp_path: Path, content: bytes | None, reason: str) -> None:
        file = tmp_path / "secret"
        if content is not None:
            file.write_bytes(content)
        error = refused(tmp_path, {"NEO4J_PASSWORD_FILE": str(file)})
        assert error.error_code == "GM160"
        assert reason in error.message
        assert "NEO4J_PASSWORD_FILE" in error.message

    def test_it_is_not_read_where_no_connection_is_made(self, tmp_path: Path) -> None:
        assert read(tmp_path, {"NEO4J_PASSWORD_FILE": "nowhere"}, connect=False).settings.password is None

    def test_two_in_one_place_are_an_error(self, tmp_path: Path) -> None:
        error = refused(tmp_path, {"NEO4J_PASSWORD": "hunter22", "NEO4J_PASSWORD_FILE": "x"})
        assert error.error_code == "GM160"
        assert "hunter22" not in error.message

    def test_in_two_places_the_stronger_wins(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from-file")
        (tmp_path / ".env").write_text("NEO4J_PASSWORD=from-dotenv\n")
        environment = {"NEO4J_PASSWORD_FILE": str(tmp_path / "secret")}
        assert read(tmp_path, environment).settings.password == "from-file"
        assert read(tmp_path, environment, flags={"password": "from-flag"}).settings.password == "from-flag"

    def test_in_the_configuration_file_it_is_refused_unseen(self, tmp_path: Path) -> None:
        (tmp_path / "graphmigrate.toml").write_text('password = "hunter22"\n')
        error = refused(tmp_path)
        assert error.error_code == "GM155"
        assert "hunter22" not in f"{error.message}{error.hint}{error.place.source}"
        assert "NEO4J_PASSWORD" in error.hint

    def test_in_broken_toml_it_is_not_shown(self, tmp_path: Path) -> None:
        (tmp_path / "graphmigrate.toml").write_text('password = "hunter22\n')
        error = refused(tmp_path)
        assert "hunter22" not in f"{error.message}{error.hint}{error.place}{error.place.source}"

    def test_neo4j_auth(self, tmp_path: Path) -> None:
        settings = read(tmp_path, {"NEO4J_AUTH": "someone/pass/word"}).settings
        assert (settings.username, settings.password) == ("someone", "pass/word")
        assert read(tmp_path, {"NEO4J_AUTH": "none"}).settings.password is None
        assert read(tmp_path, {"NEO4J_AUTH": "a/b", "NEO4J_PASSWORD": "c"}).settings.password == "c"
        error = refused(tmp_path, {"NEO4J_AUTH": "hunter22"})
        assert error.error_code == "GM158"
        assert "hunter22" not in error.message

    def test_nothing_shows_it(self) -> None:
        settings = Settings(uri="bolt://neo4j:hunter22@host:7687", password=Secret("hunter22"))
        assert "hunter22" not in repr(settings.password)
        shown = describe(settings)
        assert shown["password"] == "***"
        assert shown["uri"] == "bolt://***@host:7687"
        assert "hunter22" not in repr(shown)
        assert describe(Settings())["password"] is None
