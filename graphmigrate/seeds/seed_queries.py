"""Every query that seeding sends on its own behalf."""

from __future__ import annotations

from typing import LiteralString

# Whether another run has taken the ledger over. One that does so ends every open transaction of other runs, and what they begin
# later finds their lock lost; this tells the same once more, by the ledger itself.
_OTHER_RUN: LiteralString = """
  EXISTS { (l:__GraphMigrate {key: $ledger + '/ledger'}) WHERE l.run <> $run } AS lost"""

READ_SEEDS: LiteralString = """
MATCH (s:__GraphMigrateSeed) WHERE s.key STARTS WITH $seeds OR s.key STARTS WITH $lanes
RETURN s {.*} AS row"""

LOOK: LiteralString = (
    """
OPTIONAL MATCH (s:__GraphMigrate {key: $key})
RETURN s {.step, .run} AS row,"""
    + _OTHER_RUN
)

# Plain CREATE: the uniqueness of the key is the fence.
BEGIN: LiteralString = (
    """
CREATE (s:__GraphMigrate:__GraphMigrateSeed $row)
SET s.installed_on = datetime(),
    s.loaded_on = CASE WHEN $row.state = 'loaded' THEN datetime() END
RETURN s.step AS step,"""
    + _OTHER_RUN
)

# `SET s.step = s.step + 1` takes the write lock before it reads (Operations Manual, "Concurrent data
# access"), so a commit that is just landing is waited for and seen. The caller compares the step.
ADVANCE: LiteralString = (
    """
MATCH (s:__GraphMigrate {key: $key})
SET s.step = s.step + 1
SET s += $progress,
    s.loaded_on = CASE WHEN $progress.state = 'loaded' THEN datetime() END
RETURN s.step AS step,"""
    + _OTHER_RUN
)

# A row block's lanes have rows of their own, so that none waits for another's write lock.
OPEN_LANES: LiteralString = "UNWIND $lanes AS lane CREATE (s:__GraphMigrate:__GraphMigrateSeed) SET s = lane"
CLOSE_LANES: LiteralString = "MATCH (s:__GraphMigrate) WHERE s.key STARTS WITH $prefix DETACH DELETE s"
