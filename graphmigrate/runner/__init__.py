"""Executes a plan, segment by segment; each takes effect exactly once, whatever dies."""

from graphmigrate.runner.run import Runner
from graphmigrate.runner.state import Outcome, RunState, record_skip

__all__ = ["Outcome", "RunState", "Runner", "record_skip"]
