"""What version 0.1.0 wrote opens in this one, with nothing lost.

The fixtures are that version's own: `lf chat`, `compare`, `batch`, `sweep`, `models probe` and `history vote` on the embedded
model (SQLite's file, gzipped), the same rows in PostgreSQL (a dump), what its `lf history export` wrote of them, and the
project file. They are never made anew: each release adds a folder of its own beside them.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect

from llamafarm.config import load
from llamafarm.history.database.connecting.connect import open_database
from llamafarm.history.database.connecting.place import Place, place_of
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.database.tables.migrations import MIGRATIONS
from llamafarm.history.model import Vote
from llamafarm.history.query import Filter
from llamafarm.output.jsonl import line
from llamafarm.output.report.page import report
from tests.databases import Cluster, known
from tests.history.database.made import asked, ended, keep

RELEASED = Path(__file__).parent / "fixtures" / "released_0_1_0"
RECORDS: list[dict[str, Any]] = [json.loads(text) for text in (RELEASED / "records.jsonl").read_text().splitlines()]
VOTED = "0sgq93xa8x7d6bedxvhz9fhqnt"
CHAT = "0sgq947tx0d5bax3nqj6fqb0a0"
RUNS = {"0sgq94mne5y4agqxf0c8zrh12d": ("sweep", 4), "0sgq94emf57v2nr6ehwcsznatb": ("batch", 2)}
STEPS = 7  # that version's migrations


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The history as that version left it."""
    if request.param == "sqlite":
        file = tmp_path / "history.sqlite3"
        file.write_bytes(gzip.decompress((RELEASED / "history.sqlite3.gz").read_bytes()))
        yield known(place_of({"LF_DATABASE_URL": f"sqlite:///{file}"}))
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = f"released_{os.urandom(6).hex()}"
    url = cluster.create(name)
    with cluster.connect(name) as connection:
        connection.execute(gzip.decompress((RELEASED / "history.postgresql.sql.gz").read_bytes()))
    yield known(place_of({"LF_DATABASE_URL": url}))
    cluster.drop(name)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with open_store(place) as store:
        assert await store.recorded() is None
        yield store


@pytest.fixture
def history(store: Store) -> History:
    return History(store)


def missing(old: Any, new: Any, at: str = "") -> list[str]:
    """Where `new` does not hold what `old` holds; it may hold more keys."""
    match old, new:
        case dict(), dict():
            return [each for key, value in old.items() for each in missing(value, new.get(key, "gone"), f"{at}.{key}")]
        case list(), list() if len(old) == len(new):
            pairs = enumerate(zip(old, new, strict=True))
            return [each for index, (one, other) in pairs for each in missing(one, other, f"{at}[{index}]")]
        case _:
            return [] if old == new else [f"{at}: {old!r} is {new!r}"]


def test_what_is_missing_is_seen() -> None:
    assert missing({"a": [1, {"b": None}]}, {"a": [1, {"b": None, "c": 2}], "d": 1}) == []
    assert missing({"a": [1, {"b": None}]}, {"a": [1, {}]}) == [".a[1].b: None is 'gone'"]
    assert missing([1], [1, 2])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record["kind"]))
async def test_each_comparison_is_whole(history: History, record: dict[str, Any]) -> None:
    found = await history.open(record["id"])
    assert missing(record, json.loads(line(found))) == []
    assert found.lanes
    assert all(lane.reply.text or lane.reply.failure for lane in found.lanes)


async def test_it_is_listed_and_searched(history: History) -> None:
    listed = await history.find()
    assert {brief.id for brief in listed.items} == {VOTED, CHAT}
    assert [await history.count(Filter(text=word)) for word in ("llamas", "hello", "zebra")] == [1, 1, 0]
    assert await history.identify(VOTED[:12]) == VOTED


async def test_its_runs_votes_probes_and_machine_are_there(history: History) -> None:
    for identity, (kind, answers) in RUNS.items():
        run = await history.run(identity)
        assert (run.kind, run.project.namespace, run.project.name) == (kind, "released", "kept")
        assert len([piece async for piece in history.pieces(identity)]) == answers
        assert (await history.machines(run=identity))[0].versions["llamafarm-playground"] == "0.1.0"
    vote = (await history.open(VOTED)).vote
    assert vote is not None
    assert vote.lane == "fast"
    (probe,) = await history.newest_probes()
    assert (probe.model, len(probe.findings) > 10) == ("fast", True)


async def test_its_project_file_is_there_and_loads(history: History) -> None:
    kept = (await history.open(VOTED)).asked.project
    snapshot = await history.snapshot(kept.digest)
    assert snapshot is not None
    assert "name: kept" in snapshot.text
    loaded = load(RELEASED / "llamafarm.yaml", environ={"RELEASED_KEY": "k"})
    assert loaded.project is not None
    assert (loaded.errors, loaded.warnings) == ((), ())
    assert [model.name for model in loaded.project.models] == ["fast", "away", "cloud"]
    assert all(model.usable for model in loaded.project.models)


@pytest.mark.parametrize("identity", [VOTED, CHAT, *RUNS])
async def test_links_to_reports_still_open(history: History, identity: str) -> None:
    page = await report(history, identity)
    assert page.startswith("<!doctype html>")
    assert "released/kept" in page


async def test_what_is_asked_now_is_kept_beside_it(store: Store, history: History) -> None:
    new = keep(store, asked("What do vicunas eat?"))
    store.take(ended(new, text="Grass."))
    assert await store.recorded() is None
    assert {brief.id for brief in (await history.find()).items} == {new.id, VOTED, CHAT}
    await history.vote(CHAT, Vote("bad", None, blind=False, voted_at=new.started_at))
    assert await history.delete([VOTED]) == 1
    assert {brief.id for brief in (await history.find()).items} == {new.id, CHAT}


async def test_the_tables_are_brought_up_to_date_once(place: Place) -> None:
    def steps() -> list[str]:
        database = open_database(place)
        try:
            engine: Engine = database.reader
            with engine.connect() as connection:
                assert inspect(engine).has_table("lanes")
                return list(connection.exec_driver_sql("SELECT name FROM migrations ORDER BY name").scalars())
        finally:
            database.close()

    expected = [step.name for step in MIGRATIONS]
    assert await asyncio.to_thread(steps) == expected
    assert await asyncio.to_thread(steps) == expected


def test_the_files_are_what_that_version_left(tmp_path: Path) -> None:
    file = tmp_path / "raw.sqlite3"
    file.write_bytes(gzip.decompress((RELEASED / "history.sqlite3.gz").read_bytes()))
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT count(*) FROM migrations").fetchone() == (STEPS,)
    assert connection.execute("SELECT count(*) FROM lanes").fetchone() == (9,)
    connection.close()
    assert sum(path.stat().st_size for path in RELEASED.iterdir()) < 100 * 1024
