from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.settings import Loaded, Settings, check_uri, load
from graphmigrate.settings.sources import NAMES, OTHER_VARIABLES

CONFIGURATION = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def read(folder: Path, environment: dict[str, str] | None = None, **more: object) -> Loaded:
    return load(more.pop("flags", {}), folder=folder, environment=environment or {}, **more)


def refused(folder: Path, environment: dict[str, str] | None = None, **more: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(folder, environment, **more)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    "uri",
    [
        "bolt://localhost",
        "bolt://localhost:7687",
        "neo4j+s://abc.databases.neo4j.io",
        "bolt+ssc://[::1]:7687",
    ],
)
def test_usable_uris(uri: str) -> None:
    check_uri(uri)


@pytest.mark.parametrize(
    ("uri", "code", "said"),
    [
        ("localhost:7687", "GM154", "no scheme"),
        ("http://localhost:7474", "GM154", "'http'"),
        ("blot://localhost", "GM154", "'blot'"),
        ("bolt://", "GM154", "no usable host"),
        ("bolt://host:port", "GM154", "no usable host"),
        ("bolt://host:99999", "GM154", "no usable host"),
        ("bolt://two words", "GM154", "no usable host"),
        ("bolt://neo4j:hunter22@host", "GM155", "password"),
        ("neo4j:hunter22@host", "GM155", "password"),
        ("bolt://neo4j:hun/ter22@host", "GM155", "password"),
    ],
)
def test_unusable_uris(uri: str, code: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_uri(uri, "NEO4J_URI")
    assert caught.value.error_code == code
    assert said in caught.value.message
    assert "NEO4J_URI" in caught.value.message
    assert "hunter22" not in f"{caught.value.message}{caught.value.hint}"


def test_unknown_schemes_are_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        check_uri("blot://localhost")
    for scheme in ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"):
        assert scheme in caught.value.hint


def test_every_other_variable_is_documented() -> None:
    for name in (*OTHER_VARIABLES, "server_*"):
        assert f"`GRAPHMIGRATE_{name.upper()}`" in CONFIGURATION.read_text()


def test_every_setting_is_documented_with_its_default() -> None:
    document = CONFIGURATION.read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\|", document, re.M))
    assert set(rows) == set(NAMES)
    for name, written in rows.items():
        default = getattr(Settings(), name, None)
        if isinstance(default, bool):
            assert written == str(default).lower()
        elif isinstance(default, (int, float)):
            assert float(written) == default


@pytest.mark.parametrize(
    ("written", "names"),
    [('["TENANT", "REGION"]', ("TENANT", "REGION")), ('"A, B,A"', ("A", "B")), ("[]", ())],
)
def test_variables_that_seeds_may_read(tmp_path: Path, written: str, names: tuple[str, ...]) -> None:
    (tmp_path / "graphmigrate.toml").write_text(f"env_allowed = {written}\n")
    assert read(tmp_path, {}).settings.env_allowed == names


@pytest.mark.parametrize(
    "written", ['["V7"]', '"any-label="', "true", '["any-label=a b"]', '["anylabel=V7"]']
)
def test_what_may_be_allowed(tmp_path: Path, written: str) -> None:
    (tmp_path / "graphmigrate.toml").write_text(f"allow = {written}\n")
    with pytest.raises(UsageError) as raised:
        read(tmp_path, {})
    assert raised.value.error_code == "GM158"
    assert "any-label=V7" in raised.value.message


@pytest.mark.parametrize("written", ["[1]", '["A B"]', '["NEO4J_PASSWORD"]', '"neo4j_auth"', "3", '["X=1"]'])
def test_the_password_is_never_one_of_them(tmp_path: Path, written: str) -> None:
    (tmp_path / "graphmigrate.toml").write_text(f"env_allowed = {written}\n")
    with pytest.raises(UsageError) as raised:
        read(tmp_path, {})
    assert raised.value.error_code == "GM158"
    assert raised.value.place is not None


class TestAddress:
    """A database in the address is never ignored; what other programs read, and stray blanks, are named."""

    def test_a_path_names_the_database(self, tmp_path: Path) -> None:
        settings = read(tmp_path, {"NEO4J_URI": "bolt://host:7687/movies"}).settings
        assert (settings.uri, settings.database) == ("bolt://host:7687", "movies")

    @pytest.mark.parametrize("uri", ["bolt://host", "bolt://host/", "neo4j://host?region=eu"])
    def test_without_a_name_nothing_changes(self, tmp_path: Path, uri: str) -> None:
        settings = read(tmp_path, {"NEO4J_URI": uri, "NEO4J_DATABASE": "x"}).settings
        assert (settings.uri, settings.database) == (uri, "x")

    def test_the_same_name_twice_is_fine(self, tmp_path: Path) -> None:
        environment = {"NEO4J_URI": "bolt://host/movies", "NEO4J_DATABASE": "movies"}
        assert read(tmp_path, environment).settings.database == "movies"

    def test_two_names_are_an_error_with_both(self, tmp_path: Path) -> None:
        error = refused(tmp_path, {"NEO4J_URI": "bolt://host/movies", "NEO4J_DATABASE": "shop"})
        assert error.error_code == "GM154"
        assert all(each in error.message for each in ("NEO4J_URI", "'movies'", "NEO4J_DATABASE", "'shop'"))

    @pytest.mark.parametrize(
        "uri", ["bolt://host?database=movies", "neo4j://host?region=eu&db=movies", "bolt://host/db/movies"]
    )
    def test_any_other_form_is_an_error(self, tmp_path: Path, uri: str) -> None:
        error = refused(tmp_path, {"NEO4J_URI": uri, "NEO4J_DATABASE": "shop"})
        assert error.error_code == "GM154"
        assert "movies" in error.message
        assert "'shop'" in error.message
        assert "NEO4J_DATABASE" in str(error.hint)

    @pytest.mark.parametrize("uri", ["bolt://host:7687\n", " bolt://host:7687"])
    def test_a_blank_around_the_address_is_named(self, tmp_path: Path, uri: str) -> None:
        error = refused(tmp_path, {"NEO4J_URI": uri})
        assert "blank or a line break" in error.message

    @pytest.mark.parametrize("name", ["USERNAME", "PASSWORD", "DATABASE"])
    def test_a_line_break_in_another_value_is_named_and_kept(self, tmp_path: Path, name: str) -> None:
        loaded = read(tmp_path, {"NEO4J_URI": "bolt://host", f"NEO4J_{name}": "value\n"})
        [warning] = loaded.warnings
        assert warning.message == f"NEO4J_{name} begins or ends with a blank or a line break."
        assert getattr(loaded.settings, name.lower()) == "value\n"

    @pytest.mark.parametrize(
        ("variable", "ours"),
        [
            ("NEO4J_USER", "NEO4J_USERNAME"),
            ("NEO4J_PASS", "NEO4J_PASSWORD"),
            ("NEO4J_URL", "NEO4J_URI"),
            ("NEO4J_HOST", "NEO4J_URI"),
        ],
    )
    def test_what_other_programs_read_is_named(self, tmp_path: Path, variable: str, ours: str) -> None:
        [warning] = read(tmp_path, {variable: "secret-value"}).warnings
        assert variable in warning.message
        assert str(warning.hint).startswith(f"Set {ours}")
        assert "secret-value" not in warning.message + str(warning.hint)
        assert read(tmp_path, {variable: "x", ours: "bolt://host"}).warnings == ()


class TestProject:
    """The configuration is looked for upwards, as git looks for its repository."""

    def test_it_is_found_above(self, tmp_path: Path) -> None:
        (tmp_path / "graphmigrate.toml").write_text('ledger = "above"\n')
        (tmp_path / ".env").write_text("NEO4J_URI=bolt://above\n")
        inner = tmp_path / "src" / "deep"
        inner.mkdir(parents=True)
        loaded = read(inner)
        assert (loaded.folder, loaded.settings.ledger, loaded.settings.uri) == (
            tmp_path,
            "above",
            "bolt://above",
        )
        assert loaded.settings.migrations == tmp_path / "migrations"

    def test_a_table_of_pyproject_is_one_too(self, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text('[tool.graphmigrate]\nledger = "above"\n')
        (tmp_path / "src").mkdir()
        assert read(tmp_path / "src").settings.ledger == "above"

    @pytest.mark.parametrize("mark", [".git", "migrations"])
    def test_a_repository_or_project_of_its_own_ends_the_search(self, tmp_path: Path, mark: str) -> None:
        (tmp_path / "graphmigrate.toml").write_text('ledger = "above"\n')
        inner = tmp_path / "own"
        (inner / mark).mkdir(parents=True)
        assert read(inner).settings.ledger == "default"

    def test_the_home_folder_ends_the_search(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "graphmigrate.toml").write_text('ledger = "above"\n')
        home = tmp_path / "home"
        (home / "work").mkdir(parents=True)
        monkeypatch.setenv("HOME", str(home))
        assert read(home / "work").settings.ledger == "default"

    def test_a_folder_of_another_owner_is_left_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "graphmigrate.toml").write_text('ledger = "above"\n')
        (tmp_path / "mine").mkdir()
        monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
        assert read(tmp_path / "mine").settings.ledger == "default"


def test_settings_can_be_keys_of_a_dictionary() -> None:
    """The pytest plugin keeps what it knows of a database by settings."""
    assert {Settings(driver_options={"max_connection_pool_size": 1}): 1}
