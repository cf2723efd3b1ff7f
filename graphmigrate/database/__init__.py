"""The room that talks to Neo4j: connection, facts, ledger, lock, catalogue."""
