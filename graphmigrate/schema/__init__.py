"""Constraints and indexes as values: read DDL, compare it with a database's catalogue, write it (pure)."""
