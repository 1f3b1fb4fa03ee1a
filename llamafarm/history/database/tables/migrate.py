"""Brings a database up to the newest tables. Several processes may start at once: one works, the others wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, inspect, select

from llamafarm.core.errors import StoreError
from llamafarm.history.database.tables.migrations import MIGRATIONS, POSTGRESQL, Migration
from llamafarm.history.database.tables.schema import migrations

LOCK = 0x6C6C_616D_6166  # any number that no other program is likely to lock by: "llamaf"


def migrate(engine: Engine, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply those of `steps` that are missing, in order, all in one transaction. Blocks.

    Raises StoreError where the database holds steps that this program does not know: a newer one made them.
    """
    with engine.begin() as connection:
        _alone(connection)
        applied = _applied(connection)
        _check_known(applied, steps)
        for step in steps:
            if step.name not in applied:
                step.apply(connection)
                connection.execute(migrations.insert().values(name=step.name, applied_at=datetime.now(UTC)))


def check_tables(engine: Engine, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Raise StoreError where the tables are not those of this program; changes nothing. Blocks."""
    with engine.connect() as connection:
        applied = set(connection.scalars(select(migrations.c.name)))
    _check_known(applied, steps)
    if len(applied) < len(steps):
        raise StoreError("The history was written by an older LlamaFarm Playground, and can't be brought up to date.")


def _check_known(applied: set[str], steps: Sequence[Migration]) -> None:
    if applied - {step.name for step in steps}:
        raise StoreError(
            "The history was written by a newer LlamaFarm Playground.",
            hint="Update this one, or name another database in LF_DATABASE_URL.",
        )


def _alone(connection: Connection) -> None:
    """On SQLite the transaction itself keeps others out: see `connect`."""
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _applied(connection: Connection) -> set[str]:
    if not inspect(connection).has_table(migrations.name):
        migrations.create(connection)
    return set(connection.scalars(select(migrations.c.name)))
