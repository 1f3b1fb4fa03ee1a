"""Every test that asks for a `place` runs on SQLite and on PostgreSQL."""

from tests.databases import cluster, place

__all__ = ["cluster", "place"]
