"""Paths in templates stay inside the folder of seeds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.paths import open_inside

OUTSIDE = ["../x", "a/../../x", "/etc/passwd", "", ".", "..", "a\\..\\x", "a\0b", "data/../x", "//x"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_path_leads_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_text("secret")
    seeds = tmp_path / "seeds"
    (seeds / "data").mkdir(parents=True)
    (seeds / "x").write_text("mine")
    with pytest.raises(SeedFileError) as raised:
        open_inside(seeds, name)
    assert raised.value.error_code == "GM583"


def test_links_are_followed_inside_the_folder_and_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret")
    seeds = tmp_path / "seeds"
    (seeds / "..2026_11").mkdir(parents=True)
    (seeds / "..2026_11" / "y").write_text("mine")
    (seeds / "..data").symlink_to("..2026_11")  # as Kubernetes mounts a ConfigMap
    (seeds / "near").symlink_to("..data/y")
    (seeds / "data").mkdir()
    (seeds / "data" / "y").write_text("mine")
    (seeds / "linked").symlink_to(tmp_path / "outside")
    (seeds / "file").symlink_to(tmp_path / "outside" / "x")
    (seeds / "dangling").symlink_to("nothing")
    (seeds / "itself").symlink_to("itself")
    os.mkfifo(seeds / "pipe")
    for name in ("linked/x", "file"):
        with pytest.raises(SeedFileError, match="leads out of the seeds folder"):
            open_inside(seeds, name)
    for name in ("pipe", "data"):
        with pytest.raises(SeedFileError, match="not a regular file"):
            open_inside(seeds, name)
    with pytest.raises(SeedFileError, match="no file") as raised:
        open_inside(seeds, "data/yy")
    assert "Did you mean 'y'" in (raised.value.hint or "")
    with pytest.raises(SeedFileError, match="link to a file that is not there"):
        open_inside(seeds, "dangling")
    with pytest.raises(SeedFileError, match="cannot be read"):
        open_inside(seeds, "itself")
    (tmp_path / "other").symlink_to(seeds)
    for folder, name in ((seeds, "near"), (tmp_path / "other", "near"), (tmp_path / "other", "data/y")):
        with open_inside(folder, name) as stream:
            assert stream.read() == b"mine"


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(["..", ".", "", "data", "linked", "x", "~", "%2e%2e", "\uff0e\uff0e"]), max_size=6
    )
)
def test_no_combination_of_steps_reads_the_secret(parts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        seeds = root / "seeds"
        (seeds / "data").mkdir(parents=True)
        (root / "x").write_text("secret")
        (seeds / "linked").symlink_to(root)
        (seeds / "data" / "x").write_text("mine")
        (seeds / "x").write_text("mine")
        try:
            with open_inside(seeds, "/".join(parts)) as stream:
                assert stream.read() == b"mine"
        except SeedFileError as error:
            assert error.error_code == "GM583"  # noqa: PT017
