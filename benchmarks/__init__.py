"""Benchmarks against a real Neo4j: ``make bench`` prints one table. They measure and never fail."""
