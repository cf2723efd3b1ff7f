"""What columns are made of: Faker's methods, but those that look at the clock."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.randomness import CLOCK, Locale
from tests.unit.seeds.test_generate import rows, source_of


class TestFaker:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("faker")

    @pytest.mark.parametrize(
        "call",
        [
            "fake.date_of_birth()",
            "fake.date_this_year()",
            "fake.past_datetime()",
            "fake.unix_time()",
            "fake.profile()",
            "fake.iso8601()",
            "fake.passport_full()",
            "fake.credit_card_expire()",
            "fake.time_object()",
        ],
    )
    def test_what_looks_at_the_clock_is_refused(self, tmp_path: Path, call: str) -> None:
        with pytest.raises(SeedFileError, match="looks at the clock") as raised:
            source_of(tmp_path, f"generate(3, a={call})")
        assert "random.date" in (raised.value.hint or "")

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            ("fake.nam()", "Did you mean 'name'"),
            ("fake.unique.name()", "concat"),
            ("fake.seed_instance(1)", ""),
            ("fake.add_provider('x')", ""),
            ("fake.random", ""),
            ("fake.__class__", ""),
            ("fake._faker", ""),
            ("fake.name(nope=1)", "arguments"),
            ("fake('xx_YY').name()", "For example"),
            ("fake('../x').name()", "For example"),
            ("fake(1).name()", ""),
            ("fake.parse('{{name}}')", ""),
            ("fake.get_providers()", ""),
            ("fake.format('name')", ""),
            ("fake.name.__self__", ""),
            ("fake.pyobject('x')", ""),
        ],
    )
    def test_only_methods_of_providers_are_reached(self, tmp_path: Path, call: str, words: str) -> None:
        with pytest.raises(SeedFileError) as raised:
            source_of(tmp_path, f"generate(3, a={call})")
        assert words in (raised.value.hint or "")
        assert raised.value.place is not None

    @pytest.mark.parametrize("locale", ["en_US", "sv_SE"])
    def test_what_is_allowed_does_not_look_at_the_clock(self, locale: str) -> None:
        """Calls every method without arguments, and watches which functions written in C it calls."""
        found = Locale(locale)
        allowed = sorted(
            {each for each in found._methods if not CLOCK.fullmatch(each)}
            - {"image", "zip", "tar", "enum", "ssn"}
        )
        seen: dict[str, set[str]] = {}

        def watch(_: Any, event: str, called: Any) -> None:
            if event == "c_call":
                word = getattr(called, "__name__", "")
                if word in {"now", "utcnow", "today", "time", "localtime", "gmtime"}:
                    seen.setdefault(name, set()).add(word)

        for name in allowed:
            with contextlib.suppress(Exception):
                call = getattr(found._faker, name)
                sys.setprofile(watch)
                call()
            sys.setprofile(None)
        assert len(allowed) > 150
        assert seen == {}


def test_without_faker_the_command_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(SeedFileError) as raised:
        source_of(tmp_path, "generate(3, a=fake.name())")
    assert raised.value.error_code == "GM593"
    assert "pip install 'graphmigrate[faker]'" in (raised.value.hint or "")
    assert len(rows(tmp_path, "generate(3, a=random.int(1, 2))")) == 3
