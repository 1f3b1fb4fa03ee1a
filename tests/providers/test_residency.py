"""A model was loaded where it was not in memory before, or where loading took too long for a doubt."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.core.events import Loaded
from llamafarm.core.types import ChatRequest
from llamafarm.providers.http.client import open_client
from llamafarm.providers.residency import KNOWN_S, LOOK_S, LoadTold, Residency
from tests.engine.fakes import Scripted
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import refuses
from tests.providers.helpers import REQUEST, named

PS = {  # as 0.33 tells it
    "models": [
        {
            "name": "llama3.1:8b", "model": "llama3.1:8b", "size": 210690374, "size_vram": 0, "context_length": 4096,
            "details": {"family": "llama"}, "expires_at": "2026-11-29T19:59:32.223228349Z",
        }
    ]
}  # fmt: skip
WIDE = replace(REQUEST, parameters={"num_ctx": 8192})
AS_IT_IS = replace(REQUEST, parameters={"num_ctx": 4096})


def lists(body: Any) -> Script:
    """A server that has this in memory."""
    return refuses(200, body)


async def told(residency: Residency, model: NamedModel, seconds: float, request: ChatRequest = REQUEST) -> list[float]:
    """The loads that are told where Ollama's last record says `seconds`."""
    provider = LoadTold(Scripted("yes", Loaded(at=1.0, seconds=seconds)), model, residency)
    async with aclosing(provider.stream(request)) as events:
        return [event.seconds async for event in events if isinstance(event, Loaded)]


@pytest.mark.parametrize(
    ("body", "seconds", "request_", "loaded"),
    [
        (PS, 0.18, REQUEST, False),
        (PS, 0.18, AS_IT_IS, False),
        (PS, 0.18, WIDE, True),
        (PS, 0.6, REQUEST, True),
        (PS, 19.0, REQUEST, True),
        ({"models": []}, 0.18, REQUEST, True),
        ({"models": None}, 0.18, REQUEST, True),
        ({"models": [{"name": "other:latest"}]}, 0.18, REQUEST, False),  # it may be the same file
        ({"models": [{"name": "other:latest"}]}, 0.6, REQUEST, True),
        ("<html>", 0.18, REQUEST, False),
        ([1], 0.18, REQUEST, False),
        ({"models": [3, {"name": 5}, {"name": "llama3.1:8b", "context_length": "x"}]}, 0.18, WIDE, False),
    ],
)
async def test_loaded_is_what_was_not_there(body: Any, seconds: float, request_: ChatRequest, loaded: bool) -> None:
    residency = Residency()
    async with FaultServer(lists(body)) as server, open_client() as client:
        model = named("ollama", server.url)
        await residency.look([model, model.model_copy(update={"name": "again"})], client)
        assert [each.path for each in server.requests] == ["/api/ps"]
    assert await told(residency, model, seconds, request_) == ([seconds] if loaded else [])


async def test_what_has_answered_is_there() -> None:
    """One load, and then 23 answers of a batch, each with the 30 to 180 ms that 0.17.4 tells of a model in memory."""
    residency = Residency()
    async with FaultServer(lists({"models": []})) as server, open_client() as client:
        model = named("ollama", server.url)
        await residency.look([model], client)
    loads = [await told(residency, model, seconds) for seconds in (0.5, *[0.03, 0.18, 0.12] * 8)]
    assert [len(each) for each in loads] == [1, *[0] * 24]
    assert await told(residency, model, 0.5, WIDE) == [0.5]
    assert await told(residency, model, 0.2, WIDE) == []
    assert await told(residency, model, 0.2, AS_IT_IS) == [0.2]


async def test_nothing_is_known_for_ever() -> None:
    now = [100.0]
    residency = Residency(clock=lambda: now[0])
    model = named("ollama", "http://127.0.0.1:9")
    assert residency.holds(model, REQUEST) is None
    residency.answered(model, REQUEST)
    assert residency.holds(model, REQUEST) is True
    now[0] += KNOWN_S + 1
    assert residency.holds(model, REQUEST) is None


@pytest.mark.parametrize("name", ["refused", "404", "500", "silent"])
async def test_a_server_that_does_not_tell_is_no_reason_for_anything(name: str) -> None:
    scripts = {"404": refuses(404, {"error": "x"}), "500": refuses(500, "no")}

    async def silent(exchange: Exchange) -> None:
        await exchange.hang()

    async with FaultServer(scripts.get(name, silent)) as server, open_client() as client:
        model = named("ollama", "http://127.0.0.1:9" if name == "refused" else server.url)
        residency = Residency()
        async with asyncio.timeout(10 * LOOK_S):
            await residency.look([model], client)
    assert residency.holds(model, REQUEST) is None
    assert await told(residency, model, 0.18) == []
    assert await told(residency, model, 0.5) == [0.5]


@pytest.mark.parametrize("provider", ["openai", "universal", "lemonade"])
async def test_only_servers_that_tell_are_asked(provider: str) -> None:
    async with FaultServer(lists(PS)) as server, open_client() as client:
        await Residency().look([named(provider, server.url)], client)
        assert server.requests == []


async def test_each_server_is_asked_once_and_not_again_soon() -> None:
    residency = Residency()
    async with FaultServer(lists(PS)) as first, FaultServer(lists(PS)) as second, open_client() as client:
        models = [named("ollama", url) for url in (first.url, f"{first.url}/v1", second.url)]
        await residency.look(models, client)
        assert (len(first.requests), len(second.requests)) == (1, 1)
        await residency.look(models, client, known_s=60)
        assert (len(first.requests), len(second.requests)) == (1, 1)
        await residency.look(models[:1], client)
        assert (len(first.requests), len(second.requests)) == (2, 1)


# --- which models do not fit together


def entry(name: str, kept_s: float | None = 300, **more: Any) -> dict[str, Any]:
    until = {} if kept_s is None else {"expires_at": (datetime.now(UTC) + timedelta(seconds=kept_s)).isoformat()}
    return {"name": name, "size": 100, "size_vram": 100, **until, **more}


A, B, C = "a:latest", "b:latest", "c:latest"
SPILLED = {"size": 100, "size_vram": 60}


async def looked(*steps: Any, after_s: float = 30.0) -> tuple[Residency, dict[str, NamedModel]]:
    """What is known once a server has told these lists, and between them these models have answered."""
    now, listing = [100.0], list[Any]([[]])

    async def script(exchange: Exchange) -> None:
        await refuses(200, {"models": listing[0]})(exchange)

    residency = Residency(clock=lambda: now[0])
    async with FaultServer(script) as server, open_client() as client:
        models = {name: named("ollama", server.url, model=name) for name in "abc"}
        for step in steps:
            now[0] += after_s
            if isinstance(step, list):
                listing[0] = step
                await residency.look([models["a"]], client)
            else:
                name, request = step if isinstance(step, tuple) else (step, REQUEST)
                residency.answered(models[name], request)
    return residency, models


SHORTLY = replace(REQUEST, parameters={"keep_alive": "5s"})


@pytest.mark.parametrize(
    ("steps", "apart"),
    [
        pytest.param([[], "a", "b", [entry(B)]], ["ab"], id="one took the other's place"),
        pytest.param([[entry(A)], "b", [entry(B)]], ["ab"], id="that was there before"),
        pytest.param([[entry(B)], "a", "b", [entry(B)]], ["ab"], id="there and back"),
        pytest.param([[entry(A), entry(B)], "c", [entry(B), entry(C)]], ["ac"], id="a third one"),
        pytest.param([[], "a", "b", "c", [entry(C)]], ["ac", "bc"], id="one of three is left"),
        pytest.param([[], "a", "b", [entry(A), entry(B)]], [], id="both are there"),
        pytest.param([[entry(A), entry(B)], [entry(B)]], [], id="gone from beside it"),
        pytest.param([[], "a", [], "b", [entry(B)]], [], id="gone before it came"),
        pytest.param([[], "a", "b", []], [], id="nothing is there"),
        pytest.param([[], "a", "b", [entry(B, kept_s=40)]], [], id="its time was over"),
        pytest.param([[], "a", "b", [entry(B, kept_s=None)]], ["ab"], id="without a time"),
        pytest.param([[], "a", "b", [entry(B, expires_at="soon")]], ["ab"], id="with a time that is none"),
        pytest.param([[], ("a", SHORTLY), "b", [entry(B)]], [], id="asked to be kept for seconds"),
        pytest.param([[], "a", "b", [entry(B)], [entry(A), entry(B)]], [], id="there together later"),
        pytest.param([[], "a", "b", [entry(B)], [entry(B)]], ["ab"], id="and it stays so"),
        pytest.param([[entry(A, **SPILLED)]], ["ab", "ac", "bc"], id="a card without room"),
        pytest.param([[entry(A, **SPILLED), entry(B)]], ["ac", "bc"], id="a card without room for a third"),
        pytest.param([[entry(A, size_vram=0)]], [], id="all in the machine's own memory"),
        pytest.param([[entry(A, size="x", size_vram=None)]], [], id="sizes that are none"),
    ],
)
async def test_models_that_do_not_fit_together(steps: list[Any], apart: list[str]) -> None:
    residency, models = await looked(*steps)
    pairs = [first + second for first, second in ("ab", "ac", "bc") if residency.apart(models[first], models[second])]
    assert pairs == apart


async def test_what_was_long_ago_is_no_evidence() -> None:
    residency, models = await looked([], "a", "b", [entry(B)], after_s=KNOWN_S)
    assert not residency.apart(models["a"], models["b"])


async def test_other_servers_and_protocols_are_others() -> None:
    residency, models = await looked([], "a", "b", [entry(B)])
    assert (residency.listed(models["b"]), residency.listed(models["a"])) == (True, False)
    far = models["b"].model_copy(update={"base_url": "http://10.0.0.9:11434"})
    assert not residency.apart(models["a"], far)
    for provider in ("openai", "universal", "lemonade", "embedded"):
        other = models["b"].model_copy(update={"provider": provider})
        assert not residency.apart(models["a"], other)
        assert not residency.listed(other)
    assert not residency.apart(models["a"], models["a"])
