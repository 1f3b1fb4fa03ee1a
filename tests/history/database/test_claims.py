"""A run is asked by one process at a time, and one that died holds nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.history.database.connecting.place import Place, file_place
from llamafarm.history.database.store import Store, open_store
from tests.history.database.test_durable import ROOT, url_of
from tests.history.database.test_files import files_in

HOLDER = """
import asyncio, os, sys
from llamafarm.history.database.connecting.place import place_of
from llamafarm.history.database.store import open_store

async def hold():
    async with open_store(place_of(os.environ)) as store:
        await store.claim(sys.argv[1])
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""
UNDER_WAY = "The run r1 is under way elsewhere"


def held(place: Place, run: str) -> subprocess.Popen[str]:
    """A process that has the run."""
    command = [sys.executable, "-c", HOLDER, run]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | url_of(place), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


async def free(store: Store, run: str) -> None:
    """Wait until the run can be claimed: a server learns of a death in its own time."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await store.claim(run)
            except RequestError:
                await asyncio.sleep(0.05)


async def test_the_second_is_told(place: Place) -> None:
    async with open_store(place) as first, open_store(place) as second:
        await first.claim("r1")
        with pytest.raises(RequestError, match=UNDER_WAY):
            await second.claim("r1")
        await second.claim("r2")
        await first.release("r1")
        await second.claim("r1")
        with pytest.raises(RequestError, match=UNDER_WAY):
            await first.claim("r1")


async def test_a_store_that_ends_lets_go(place: Place) -> None:
    async with open_store(place) as first:
        await first.claim("r1")
    async with open_store(place) as second:
        await second.claim("r1")


async def test_two_of_one_process_are_two(place: Place) -> None:
    async with open_store(place) as store:
        await store.claim("r1")
        with pytest.raises(RequestError, match=UNDER_WAY):
            await store.claim("r1")
        await store.release("r1")
        await store.claim("r1")


async def test_another_process_is_told_until_the_first_dies(place: Place) -> None:
    process = await asyncio.to_thread(held, place, "r1")
    try:
        async with open_store(place) as store:
            with pytest.raises(RequestError, match=UNDER_WAY):
                await store.claim("r1")
            process.kill()  # SIGKILL: it could tidy up nothing
            await free(store, "r1")
    finally:
        process.kill()
        process.communicate()


async def test_records_are_written_while_a_run_is_held(place: Place) -> None:
    async with open_store(place) as store:
        await store.claim("r1")
        assert await store.recorded() is None


async def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    async with open_store(file_place(tmp_path / "h.sqlite3")) as store:
        await store.claim("r1")
        await store.release("r1")
    assert files_in(tmp_path) == ["h.sqlite3"]


async def test_where_the_history_is_away_there_is_nothing_to_hold(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with open_store(file_place(tmp_path / "file" / "h.sqlite3")) as store:
        await store.claim("r1")
        await store.release("r1")
