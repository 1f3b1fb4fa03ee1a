"""Staged faults: each fails as the real one would, says that it is staged, and touches nobody else."""

from __future__ import annotations

import pytest

from llamafarm.core.errors import ConnectFailed, Interrupted, ProviderError, RateLimited, ServerFailed, TimedOut
from llamafarm.core.events import Event, StagedFault, is_final
from llamafarm.core.types import Fault
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from llamafarm.providers.policies.fault_injection import TIMEOUT_S, FaultInjection
from llamafarm.providers.registry import Providers
from tests.engine.fakes import Scripted
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays
from tests.providers.helpers import QUICK, REQUEST, named, text_of

CASES: dict[Fault, type[ProviderError]] = {
    "refused": ConnectFailed,
    "429": RateLimited,
    "500": ServerFailed,
    "timeout": TimedOut,
    "cut": Interrupted,
}


@pytest.mark.parametrize("fault", list(CASES))
async def test_a_staged_fault(fault: Fault) -> None:
    real = Scripted("a", "b", "c", "d", "e", "f")
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    events: list[Event] = []

    async def play() -> None:
        async for event in FaultInjection(real, "m", fault, sleep).stream(REQUEST):
            events.append(event)  # noqa: PERF401 - what came before the error is kept

    with pytest.raises(CASES[fault]) as raised:
        await play()
    assert raised.value.message.startswith("Staged: ")
    assert isinstance(events[0], StagedFault)
    assert (events[0].model, events[0].fault) == ("m", fault)
    assert text_of(events) == ("abcde" if fault == "cut" else "")
    assert real.closed.is_set() is (fault == "cut")
    assert slept == ([TIMEOUT_S] if fault == "timeout" else [])


async def test_an_answer_that_comes_in_one_piece_is_cut_before_its_end() -> None:
    events: list[Event] = []

    async def play() -> None:
        async for event in FaultInjection(Scripted("all of it"), "m", "cut").stream(REQUEST):
            events.append(event)  # noqa: PERF401 - what came before the error is kept

    with pytest.raises(Interrupted):
        await play()
    assert text_of(events) == "all of it"
    assert not [event for event in events if is_final(event)]


async def test_the_stage_is_its_own() -> None:
    async with (
        FaultServer(plays("openai", answer("openai", "so"))) as server,
        open_client() as client,
        EmbeddedModels(client) as embedded,
    ):
        providers = Providers(client, embedded.provider, QUICK)
        model = named("openai", server.url)
        staged = providers.staging({"lane": "500"})
        with pytest.raises(ServerFailed):
            _ = [event async for event in staged.for_model(model).stream(REQUEST)]
        assert not server.requests
        events = [event async for event in providers.for_model(model).stream(REQUEST)]
        assert text_of(events) == "so"
        assert not [event for event in events if isinstance(event, StagedFault)]
