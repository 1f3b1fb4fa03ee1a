"""On which machine something was recorded: kept with it, once each, without a name."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.history.codec import encode
from llamafarm.history.database import writes
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.machine import this_machine
from llamafarm.history.database.store import open_store
from llamafarm.history.model import Run, RunBegan
from tests.history.database.made import PROJECT, START, asked, ended, keep


async def test_what_was_recorded_knows_its_machine(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    here, elsewhere = this_machine(), replace(this_machine(), cores=1024)
    run = Run("01" * 13, "sweep", "temperature", START, PROJECT)
    async with open_store(place) as store:
        history = History(store)
        store.take(RunBegan(run, None))
        alone, first, second = asked(), asked(run=run.id, item="a"), asked(run=run.id, item="b")
        keep(store, alone, ended(alone))
        keep(store, first)
        await store.recorded()
        monkeypatch.setattr(writes, "this_machine", lambda: elsewhere)  # as if it were resumed there
        keep(store, second)
        await store.recorded()
        assert await history.machines(comparison=alone.id) == [here]
        assert await history.machines(run=run.id) == [here, elsewhere]
        assert await history.machines(run="0") == []


async def test_a_run_is_found_by_its_beginning(place: Place) -> None:
    runs = [Run(f"0{sign}" * 13, "batch", "rows", START, PROJECT) for sign in "12"]
    async with open_store(place) as store:
        for run in runs:
            store.take(RunBegan(run, None))
        history = History(store)
        assert await history.run_beginning("01") == runs[0]
        assert await history.run_beginning("09") is None
        assert await history.run_beginning("no id!") is None
        with pytest.raises(RequestError, match="Several"):
            await history.run_beginning("0")


def test_nothing_in_it_names_anybody() -> None:
    machine = this_machine()
    assert machine.processor
    assert machine.cores
    assert machine.memory_bytes
    assert machine.memory_bytes > 2**28
    assert "llamafarm-playground" in machine.versions
    assert socket.gethostname() not in str(encode(machine))
    assert machine.digest == this_machine().digest != replace(machine, cores=1024).digest
