"""Ports of this machine."""

from __future__ import annotations

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.server import ports


def test_a_taken_port_is_refused_and_zero_picks_two_free_ones():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        assert ports.is_open(number)
        with pytest.raises(UsageError) as caught:
            ports.choose(number)
        assert caught.value.error_code == "GM180"
        bolt, http = ports.choose(0)
        assert len({bolt, http, number}) == 3
        assert ports.is_free(bolt)
