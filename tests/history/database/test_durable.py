"""Nothing that was recorded is lost: not by kill -9, not by a full disk, not by a database that goes away."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from llamafarm.core.errors import StoreError
from llamafarm.history.database.claims import Claims
from llamafarm.history.database.connecting.connect import Database
from llamafarm.history.database.connecting.place import FILE, Place, file_place, place_of
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.database.writer import MOST_WAITING, Writer
from tests.databases import Cluster, known
from tests.history.database.made import asked, ended, keep

SOON = (0.01,)
ROOT = Path(__file__).resolve().parents[3]


def url_of(place: Place) -> dict[str, str]:
    return {"LF_DATABASE_URL": place.url.get_secret_value().replace("postgresql+psycopg", "postgresql")}


@contextmanager
def recording_process(place: Place, count: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.history.database.killed", str(count)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | url_of(place), stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: subprocess.Popen[str], lines: int) -> list[list[str]]:
    assert process.stdout is not None
    return [process.stdout.readline().split() for _ in range(lines)]


async def test_kill_9_loses_no_lane_that_had_ended(place: Place) -> None:
    with recording_process(place, 1_000_000) as process:
        told = await asyncio.to_thread(said, process, 40)
        process.kill()  # SIGKILL, in the middle of its work
        assert process.stdout is not None
        rest = await asyncio.to_thread(process.stdout.read)
    told += [line.split() for line in rest.splitlines()]
    (_, identity), *stored = told
    async with open_store(place) as store:
        found = await History(store).open(identity)
    kept = [lane.id for lane in found.lanes]
    assert kept[: len(stored)] == [lane for _, lane in stored]
    assert len(kept) - len(stored) in (0, 1)  # one may have been stored, but not told yet


async def test_two_processes_write_at_once(place: Place) -> None:
    """Both start on an empty database: one makes the tables, the other waits for it."""
    with recording_process(place, 25) as first, recording_process(place, 25) as second:
        told = await asyncio.gather(*(asyncio.to_thread(said, each, 26) for each in (first, second)))
    async with open_store(place) as store:
        for (_, identity), *stored in told:
            found = await History(store).open(identity)
            assert [lane.id for lane in found.lanes] == [lane for _, lane in stored]


async def test_closing_writes_what_waits(place: Place) -> None:
    async with open_store(place) as store:
        kept = [keep(store, comparison := asked(), ended(comparison)) for _ in range(300)]
    async with open_store(place) as store:
        found = await History(store).whole([each.id for each in kept])
    assert [each.asked for each in found] == kept
    assert all(len(each.lanes) == 1 for each in found)


# --- trouble


@asynccontextmanager
async def impatient(place: Place, most_waiting: int = MOST_WAITING) -> AsyncIterator[Store]:
    """A store that tries again at once."""
    writer = Writer(place, pauses_s=SOON, most_waiting=most_waiting)
    store = Store(writer, Claims(writer))
    store.writer.start()
    yield store
    await store.writer.close()


def limit_pages(database: Database, more: int | None) -> None:
    """Let SQLite's file grow by `more` pages alone, as on a disk that is nearly full."""
    connection = database.writer.raw_connection()
    cursor = connection.cursor()
    (pages,) = cursor.execute("PRAGMA page_count").fetchone()
    cursor.execute(f"PRAGMA max_page_count = {2**30 if more is None else pages + more}").fetchone()
    connection.close()


async def test_a_full_disk_is_told_and_all_is_stored_once_there_is_room(tmp_path: Path) -> None:
    place = file_place(tmp_path / FILE)
    async with impatient(place) as store:
        database = await store.writer.database()
        await asyncio.to_thread(limit_pages, database, 2)
        kept = asked()
        keep(store, kept, ended(kept, text="many words " * 20_000))
        told = await store.recorded()
        assert told is not None
        assert f"The history at {place.file} can't be written: the disk is full." in told
        assert "Waiting in memory: 2 records." in told
        with pytest.raises(StoreError, match="the disk is full"):
            await History(store).open(kept.id)
        store.take(ended(kept, "wise", "short"))  # taking goes on
        await asyncio.to_thread(limit_pages, database, None)
        while await store.recorded():
            pass
        assert store.trouble is None
        found = await History(store).open(kept.id)
    assert list(found.replies) == ["fast", "wise"]


async def test_a_postgresql_that_goes_away_is_told_and_all_is_stored_once_it_is_back(cluster: Cluster) -> None:
    name = "away"
    place = known(place_of({"LF_DATABASE_URL": cluster.create(name)}))

    def let_in(allowed: str) -> None:
        with cluster.connect() as connection:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}".encode())
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    async with impatient(place) as store:
        assert await store.recorded() is None
        let_in("false")
        kept = asked()
        keep(store, kept, ended(kept))
        told = await store.recorded()
        assert told is not None
        assert "The history at PostgreSQL at localhost/away can't be written" in told
        let_in("true")
        while await store.recorded():
            pass
        found = await History(store).open(kept.id)
    cluster.drop(name)
    assert list(found.replies) == ["fast"]


async def test_a_database_that_is_away_from_the_start_is_found_later(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("a file where the folder should be")
    async with impatient(file_place(blocked / FILE)) as store:
        kept = asked()
        keep(store, kept, ended(kept))
        told = await store.recorded()
        assert told is not None
        assert "can't be opened" in told
        blocked.unlink()
        while await store.recorded():
            pass
        assert list((await History(store).open(kept.id)).replies) == ["fast"]


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_bytes(b"this is no database, but somebody's notes" * 100)
    async with open_store(file_place(file)) as store:
        told = await store.recorded()
    assert told is not None
    assert "the file is no SQLite database" in told
    assert file.read_bytes().startswith(b"this is no database")


async def test_one_record_that_no_database_can_take_does_not_hold_up_the_others(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    broken = asked("secret prompt", variables={"x": {1, 2}})  # a set: no JSON
    async with open_store(place) as store:
        before, after = asked(), asked()
        keep(store, before)
        keep(store, broken, ended(broken))
        keep(store, after)
        assert await store.recorded() == "Lost, because they could not be stored: 1 record."
        assert store.writer.lost == 1
        found = await History(store).whole([before.id, broken.id, after.id])
    assert [each.asked for each in found] == [before, after]
    assert "secret prompt" not in caplog.text


async def test_memory_is_bounded_while_the_database_is_away(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("")
    async with impatient(file_place(blocked / FILE), most_waiting=100_000) as store:
        kept = keep(store, asked())
        for _ in range(100):
            store.take(ended(kept, text="x" * 10_000))
        told = await store.recorded()
        assert told is not None
        assert "Waiting in memory: 9 records. Lost, because they could not be stored: 92 records." in told
    assert store.trouble is not None  # closing gave up: that is told too
    assert store.writer.lost == 101


async def test_after_closing_nothing_hangs(place: Place) -> None:
    async with open_store(place) as store:
        kept = keep(store, asked())
    store.take(ended(kept))
    assert await store.recorded() == "Lost, because they could not be stored: 1 record."
    with pytest.raises(StoreError, match="closed"):
        await History(store).open(kept.id)


async def test_the_loop_goes_on_while_another_process_holds_the_file(tmp_path: Path) -> None:
    file = tmp_path / FILE
    async with open_store(file_place(file)) as store:
        assert await store.recorded() is None
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            kept = keep(store, asked())
            recorded = asyncio.create_task(store.recorded())
            for _ in range(100):
                await asyncio.sleep(0)
            assert not recorded.done()
            other.execute("COMMIT")
        assert await recorded is None
        assert (await History(store).open(kept.id)).asked == kept
