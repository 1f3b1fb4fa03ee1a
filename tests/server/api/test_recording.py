"""The API's completions in the history, where the operator wants them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.access.settings import ServerSettings
from llamafarm.history.model import Recorded
from tests.faultserver.speech import plays, said
from tests.server.api.world import CHAT, HELLO, World, world

KEEPS = ServerSettings(record_completions=True)


async def kept(here: World) -> list[Recorded]:
    runtime = here.services.runtime
    assert runtime.store is not None
    await runtime.store.recorded()
    return [each async for each in runtime.history().stream(oldest_first=True)]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_completion_is_kept_as_it_was(tmp_path: Path, stream: bool) -> None:
    async with world(tmp_path, KEEPS) as here:
        assert (await here.ask(model="fast", stream=stream, temperature=0.1)).status_code == 200
        (found,) = await kept(here)
        reply = found.replies["fast"]
        assert (found.asked.kind, found.asked.prompt) == ("chat", "Hello")
        assert (reply.status, reply.text) == ("done", "Llamas eat hay.")
        assert reply.sent is not None
        assert reply.sent.body["temperature"] == 0.1


async def test_a_failure_and_a_client_that_goes_away_are_kept_too(tmp_path: Path) -> None:
    async with world(tmp_path, KEEPS) as here:
        assert (await here.ask(model="gone")).status_code == 502
        here.says(plays("openai", [said("openai", "Half")], then="hang"))
        async with here.client.stream("POST", CHAT, json={**HELLO, "stream": True}) as answer:
            await anext(answer.aiter_raw())
        await here.last.gone.wait()
        failed, stopped = await kept(here)
        assert failed.replies["gone"].status == "failed"
        assert (stopped.replies["default"].status, stopped.replies["default"].text) == ("stopped", "Half")


async def test_none_is_kept_unless_it_is_wanted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert (await here.ask()).status_code == 200
        assert await kept(here) == []
