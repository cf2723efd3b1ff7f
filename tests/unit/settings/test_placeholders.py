"""Where the values of placeholders come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.settings import Loaded, load

LISTED = '[placeholders]\ntenant = "acme"\nregion = ""\nsize = 5\n'


def read(folder: Path, environment: dict[str, str] | None = None, **flags: Any) -> Loaded:
    return load(flags, folder=folder, environment=environment or {}, connect=False)


def test_the_command_line_beats_the_environment_and_that_the_file(tmp_path: Path) -> None:
    assert read(tmp_path).settings.placeholders == {}
    (tmp_path / "graphmigrate.toml").write_text(LISTED)
    assert read(tmp_path).settings.placeholders == {"tenant": "acme", "region": None, "size": "5"}
    (tmp_path / ".env").write_text("GRAPHMIGRATE_SET_TENANT=globex\nGRAPHMIGRATE_SET_REGION=eu\n")
    assert read(tmp_path).settings.placeholders == {"tenant": "globex", "region": "eu", "size": "5"}
    environment = {"GRAPHMIGRATE_SET_TENANT": "hooli"}
    assert read(tmp_path, environment).settings.placeholders["tenant"] == "hooli"
    given = read(tmp_path, environment, set=("tenant=a=b", "region="))
    assert given.settings.placeholders == {"tenant": "a=b", "region": "", "size": "5"}
    (tmp_path / "graphmigrate.toml").write_text('placeholders = ["tenant"]\n')
    found = read(tmp_path)
    assert found.settings.placeholders == {"tenant": "globex"}
    assert [each.code for each in found.warnings] == ["GM157"]  # of the region


@pytest.mark.parametrize(
    ("text", "assigned", "code"),
    [
        (LISTED, ("tenat=x",), "GM157"),
        (LISTED, ("tenant",), "GM158"),
        ("", ("tenant=x",), "GM157"),
        ("placeholders = 5\n", (), "GM158"),
        ("[placeholders]\ntenant = true\n", (), "GM158"),
        ('[placeholders]\n"a b" = "x"\n', (), "GM158"),
        ('[placeholders]\napi_key = "x"\n', (), "GM155"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, assigned: tuple[str, ...], code: str) -> None:
    (tmp_path / "graphmigrate.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        read(tmp_path, set=assigned)
    assert caught.value.error_code == code
    assert caught.value.hint


def test_the_password_is_no_value(tmp_path: Path) -> None:
    (tmp_path / "graphmigrate.toml").write_text(LISTED)
    with pytest.raises(UsageError) as caught:
        read(tmp_path, {"NEO4J_PASSWORD": "hunter22"}, set=("tenant=hunter22",))
    assert caught.value.error_code == "GM155"
    assert "hunter22" not in str(caught.value)
