"""The way to the database, as doctor judges it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graphmigrate.doctor import examine
from graphmigrate.doctor.network import certified, is_local, unencrypted, unverified
from graphmigrate.errors import UsageError
from graphmigrate.results import Health
from graphmigrate.settings import Settings


@pytest.mark.parametrize("judge", [unencrypted, unverified])
def test_encryption_matters_beyond_this_machine(judge: object) -> None:
    assert judge("bolt+ssc://10.0.0.7", local=True).health is Health.OK  # type: ignore[operator]
    found = judge("bolt+ssc://10.0.0.7", local=False)  # type: ignore[operator]
    assert found.health is Health.FINDING
    assert found.hint


@pytest.mark.parametrize(
    ("hosts", "local"),
    [
        (["127.0.0.1", "::1"], True),
        (["127.0.0.2"], True),
        (["localhost"], True),
        (["127.0.0.1", "10.0.0.7"], False),
        (["fe80::1%eth0"], False),
        ([""], False),
    ],
)
def test_this_machine(hosts: list[str], local: bool) -> None:
    assert is_local(hosts) is local


@pytest.mark.parametrize(("now", "health"), [("2026-10-01", Health.OK), ("2026-11-20", Health.FINDING)])
def test_a_certificate_is_renewed_in_time(now: str, health: Health) -> None:
    certificate = {"notAfter": "Dec  4 12:00:00 2026 GMT", "subjectAltName": (("DNS", "graph.internal"),)}
    found = certified("TLSv1.3", certificate, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found.health is health
    assert "2026-12-04" in found.message
    assert "graph.internal" in found.message


@pytest.mark.parametrize("uri", ["", "bolt://", "bolt://user:secret@host", "http://localhost"])
def test_settings_that_are_wrong(uri: str) -> None:
    with pytest.raises(UsageError) as caught:
        examine(Settings(uri))
    assert "secret" not in str(caught.value)
