"""From every older state to the newest, with what was in it; and what a newer program wrote is left alone."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from llamafarm.core.errors import StoreError
from llamafarm.history.database.connecting.connect import open_database
from llamafarm.history.database.connecting.place import Place, file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.rows import asked_row, ended_row
from llamafarm.history.database.store import open_store
from llamafarm.history.database.tables import schema
from llamafarm.history.database.tables.migrate import migrate
from llamafarm.history.database.tables.migrations import MIGRATIONS, Migration
from llamafarm.history.query import Filter
from tests.history.database.made import asked, ended


def older(place: Place, engine: Engine, steps: int) -> None:
    """Take the tables back to the first `steps` of all, by making them anew."""
    with engine.begin() as connection:
        for table in (
            "documents_index",
            "suggestions",
            "probes",
            "votes",
            "documents",
            "lanes",
            "comparisons",
            "runs",
            "machines",
            "snapshots",
            "migrations",
        ):
            if table != "documents_index" or place.file is not None:
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    migrate(engine, MIGRATIONS[:steps])


@pytest.mark.parametrize("steps", range(1, len(MIGRATIONS) + 1))
async def test_what_an_older_program_wrote_is_there_after_its_update(place: Place, steps: int) -> None:
    kept = asked("What do alpacas eat?")
    lane = ended(kept, text="Shrubs.")

    def write_as_before() -> None:
        database = open_database(place)
        older(place, database.writer, steps)
        known = {column["name"] for column in inspect(database.writer).get_columns("comparisons")}
        with database.writer.begin() as connection:
            row = {name: value for name, value in asked_row(kept).items() if name in known}
            connection.execute(schema.comparisons.insert().values(row))
            connection.execute(schema.lanes.insert().values(ended_row(lane)))
        database.close()

    await asyncio.to_thread(write_as_before)
    async with open_store(place) as store:
        history = History(store)
        found = await history.open(kept.id)
        hits = [await history.count(Filter(text=word)) for word in ("alpacas", "shrubs", "zebra")]
    assert (found.asked, found.lanes) == (kept, (lane,))
    # Before there was a search, rows had no words: they got them. Rows written later brought their own.
    assert hits == ([1, 1, 0] if steps == 1 else [0, 0, 0])


def test_the_tables_are_those_that_queries_expect(place: Place) -> None:
    database = open_database(place)
    look = inspect(database.reader)
    for table in schema.metadata.sorted_tables:
        made = {column["name"]: column["nullable"] for column in look.get_columns(table.name)}
        expected = {column.name: bool(column.nullable) for column in table.columns}
        keys = set(look.get_pk_constraint(table.name)["constrained_columns"])
        assert {name: made[name] for name in made.keys() - keys} == {
            name: expected[name] for name in expected.keys() - keys
        }
        assert keys == {column.name for column in table.primary_key.columns}
    database.close()


def test_names_are_in_order_and_never_twice() -> None:
    names = [step.name for step in MIGRATIONS]
    assert names == sorted(set(names))


def test_many_starts_at_once_apply_each_step_once(place: Place) -> None:
    with ThreadPoolExecutor(6) as pool:
        for database in pool.map(open_database, [place] * 6):
            database.close()
    database = open_database(place)
    with database.reader.connect() as connection:
        applied = list(connection.scalars(text("SELECT name FROM migrations ORDER BY name")))
    database.close()
    assert applied == [step.name for step in MIGRATIONS]


def test_a_step_that_fails_leaves_nothing_half_done(place: Place) -> None:
    database = open_database(place)
    broken = Migration("9999 broken", ("CREATE TABLE half (x TEXT)", "CREATE NONSENSE"))
    with pytest.raises(Exception, match="NONSENSE"):
        migrate(database.writer, (*MIGRATIONS, broken))
    assert not inspect(database.writer).has_table("half")
    migrate(database.writer)
    database.close()


async def test_what_a_newer_program_made_is_not_touched(place: Place) -> None:
    def made_newer() -> None:
        database = open_database(place)
        with database.writer.begin() as connection:
            connection.execute(schema.migrations.insert().values(name="9999 later", applied_at=datetime.now(UTC)))
        database.close()

    await asyncio.to_thread(made_newer)
    async with open_store(place) as store:
        told = await store.recorded()
        assert told is not None
        assert "written by a newer LlamaFarm Playground" in told
        with pytest.raises(StoreError, match="newer"):
            await History(store).find()


def test_only_its_owner_may_look_into_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    open_database(file_place(folder / "history.sqlite3")).close()
    assert folder.stat().st_mode & 0o777 == 0o700
