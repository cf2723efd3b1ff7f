"""What several modules here start from."""

from __future__ import annotations

import neo4j
import pytest


@pytest.fixture
def ledger_ready(driver: neo4j.Driver) -> neo4j.Driver:
    """A database that has what a seed's own rows need."""
    driver.execute_query("CREATE CONSTRAINT graphmigrate FOR (n:__GraphMigrate) REQUIRE n.key IS UNIQUE")
    return driver
