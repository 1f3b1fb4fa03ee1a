"""kill -9 in the middle of a batch: nothing that had ended is lost, and nothing of it is asked again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

from llamafarm.experiments.batch.run import answers
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from tests.cli.helpers import HEAD, entry, lf_async, started, written
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays
from tests.history.database.test_durable import url_of

ROWS, PLACES, ANSWERED = 40, 4, 60
MODELS = ("a", "b", "c")


async def kept(place: Place, run: str) -> set[tuple[int, str]]:
    """The calls whose answers are in the history."""
    async with open_store(place) as store:
        return {(each.row, each.ended.spec.model) async for each in answers(History(store), run)}


async def test_the_server_sees_each_call_once_but_for_those_in_flight(place: Place, tmp_path: Path) -> None:
    at_work = most = 0
    full = asyncio.Event()

    async def counted(exchange: Exchange) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        try:
            if len(server.requests) > ANSWERED and not gone.is_set():
                if at_work == PLACES:
                    full.set()
                await exchange.hang()
            else:
                await plays("openai", answer("openai", f"{exchange.seen.json()['model']} says yes"))(exchange)
        finally:
            at_work -= 1

    gone, url = asyncio.Event(), url_of(place)["LF_DATABASE_URL"]
    async with FaultServer(counted) as server:
        written(tmp_path, HEAD + "".join(entry(name, server.url) for name in MODELS))
        (tmp_path / "rows.csv").write_text("prompt\n" + "".join(f"Number {at}?\n" for at in range(1, ROWS + 1)))
        arguments = ("batch", "rows.csv", "--concurrency", str(PLACES))
        process = await started(*arguments, folder=tmp_path, LF_DATABASE_URL=url)
        async with asyncio.timeout(60):
            await full.wait()
        process.kill()
        assert process.stderr
        run = (await process.stderr.read()).decode().partition("--resume ")[2].split()[0]
        await process.wait()
        asked_before = Counter(_call(seen.json()) for seen in server.requests)
        in_store = await kept(place, run)
        gone.set()
        done = await lf_async(*arguments, "--resume", run, "--json", folder=tmp_path, LF_DATABASE_URL=url)
        asked = Counter(_call(seen.json()) for seen in server.requests)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    everything = {(row, model) for row in range(1, ROWS + 1) for model in MODELS}
    assert set(asked) == everything  # none is lost
    assert max(asked_before.values()) == 1
    twice = {call for call, times in asked.items() if times > 1}
    assert twice == set(asked_before) - in_store  # none is doubled but what was not kept yet
    assert len(twice) <= 2 * PLACES  # at each place one that is asked, and one that is being written
    assert max(asked.values()) <= 2
    assert most == PLACES
    assert [model["answered"] for model in told["models"]] == [ROWS] * len(MODELS)
    assert await kept(place, run) == everything


def _call(body: dict[str, object]) -> tuple[int, str]:
    text = json.dumps(body["messages"])
    return int(text.partition("Number ")[2].partition("?")[0]), str(body["model"]).removesuffix("-id")
