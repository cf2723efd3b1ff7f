"""States of servers that tests write themselves."""

from __future__ import annotations

from dataclasses import replace

from graphmigrate.server import machine
from graphmigrate.server.state import Folder, State


def running(folder: Folder, pid: int, **changes: object) -> State:
    state = State("jvm", "5.26.25", 17741, 17742, auth=False, ephemeral=False, pid=pid, ready=True)
    state = replace(state, birth=machine.birth(pid), **changes)  # type: ignore[arg-type]
    folder.make()
    folder.home(ephemeral=state.ephemeral).make()
    folder.write(state)
    return state
