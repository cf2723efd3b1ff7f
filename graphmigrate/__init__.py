"""Schema migrations and seeds for Neo4j."""

__version__ = "0.1.0"
