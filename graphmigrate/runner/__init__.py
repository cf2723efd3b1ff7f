"""Executes a plan, segment by segment; each takes effect exactly once, whatever dies."""

from graphmigrate.runner.run import Runner
from graphmigrate.runner.state import RunState, record_skip

__all__ = ["RunState", "Runner", "record_skip"]
