"""Comparisons over HTTP: the events of all lanes, as they happen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.faultserver.server import Exchange
from tests.faultserver.speech import answer, plays, refuses, said
from tests.server.api.world import HELLO, PROJECT, PROMPTED, World

pytestmark = pytest.mark.asyncio(loop_scope="package")

COMPARE = f"{PROJECT}/compare"


def events(text: str) -> list[tuple[str, Any]]:
    """(event, data) of each event."""
    told = []
    for block in text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        told.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return told


async def test_every_lane_tells_what_happens_and_ends_with_its_reply(here: World) -> None:
    told = await here.ask(COMPARE, models=["expert", "careful", "gone"])
    assert told.headers["content-type"].startswith("text/event-stream")
    (first, opening), *middle, (last, _) = events(told.text)
    assert (first, last) == ("started", "done")
    assert opening["lanes"] == ["expert", "careful", "gone"]
    assert [route["strategy"] for route in opening["routes"]] == ["complexity", "token_budget", "learned"]
    types = {
        lane: [
            each["type"]
            for kind, each in middle
            if kind == "lane" and each["lane"] == lane and each["type"] != "lagged"  # on a busy machine
        ]
        for lane in opening["lanes"]
    }
    assert types["expert"][:3] == ["started", "asking", "sent"]
    assert types["expert"][-2:] == ["usage_reported", "finished"]
    assert "fell_back" in types["careful"]
    assert types["gone"][-1] == "failed"
    words = [
        each["text"]
        for kind, each in middle
        if kind == "lane" and each["lane"] == "expert" and each["type"] == "text_delta"
    ]
    assert "".join(words) == "Llamas eat hay."
    replies = {each["model"]: each for kind, each in middle if kind == "reply"}
    assert replies["expert"]["cost"] == {"usd": 0.00025, "source": "config"}
    assert (replies["careful"]["answered_by"], replies["careful"]["status"]) == ("default", "done")
    assert (replies["gone"]["status"], replies["gone"]["cost"]["usd"]) == ("failed", None)
    assert all(each["at_s"] >= 0 for kind, each in middle if kind == "lane")
    assert "sk-literal-secret" not in told.text


async def test_one_at_a_time_warmed(here: World) -> None:
    told = events((await here.ask(COMPARE, models=["expert", "default"], fair=True)).text)
    order = [each["lane"] for kind, each in told if kind == "lane" and each["type"] not in ("started", "waiting")]
    assert order == sorted(order, key=["expert", "default"].index)
    replies = {each["model"]: each for kind, each in told if kind == "reply"}
    for reply in replies.values():
        assert (reply["shared"], reply["sharing"]["others"]) == (False, 0)
        assert reply["warmup"]["error"] is None
    assert replies["expert"]["warmup"]["cost"] == {"usd": 0.00025, "source": "config"}
    assert any(each["type"] == "shared" for kind, each in told if kind == "lane")
    assert len(here.upstream.requests) == 4


async def test_without_models_all_that_can_be_asked_are(here: World) -> None:
    told = await here.ask(f"{PROMPTED}/compare", variables={"who": "kind"}, parameters={"temperature": 0, "seed": None})
    opening = events(told.text)[0][1]
    assert opening["lanes"] == ["default", "expert", "fast", "gone", "careful", "hasty"]
    for seen in here.upstream.requests:
        assert seen.json()["temperature"] == 0
        assert "seed" not in seen.json()
        assert seen.json()["messages"][0]["content"] == "You are kind."


async def test_a_slow_lane_holds_up_nobody(here: World) -> None:
    go = asyncio.Event()

    async def by_model(exchange: Exchange) -> None:
        slow = exchange.seen.json()["model"] == "large"
        await plays(
            "openai",
            [
                said("openai", "One"),
                *([go] if slow else []),
                *answer("openai", "."),
            ],
        )(exchange)

    here.says(by_model)
    text = ""
    async with (
        asyncio.timeout(20),
        here.client.stream("POST", COMPARE, json=HELLO | {"models": ["expert", "default"]}) as told,
    ):
        async for piece in told.aiter_text():
            text += piece
            if "event: reply" in text:
                go.set()
    replies = [each["model"] for kind, each in events(text) if kind == "reply"]
    assert replies == ["default", "expert"]


async def test_a_client_that_goes_away_stops_every_lane(here: World) -> None:
    here.says(plays("openai", [said("openai", "One")], then="hang"))
    async with asyncio.timeout(20):
        async with httpx.AsyncClient(base_url=here.url) as client:
            body = HELLO | {"models": ["expert", "default", "fast"]}
            text = ""
            async with client.stream("POST", COMPARE, json=body) as told:
                async for piece in told.aiter_text():
                    text += piece
                    if text.count("text_delta") == 3:
                        break
        for seen in here.upstream.requests:
            await seen.gone.wait()
    assert len(here.upstream.requests) == 3
    assert here.services.runtime.generations.total() == 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"models": ["nobody"]}, 404, "it has: default, expert"),
        ({"models": ["default", "default"]}, 400, "once"),
        ({"models": []}, 400, "at least 1"),
        ({"models": ["default"] * 33}, 400, "at most 32"),
        ({"model": "default"}, 400, "model"),
        ({"messages": []}, 400, "messages"),
    ],
)
async def test_wrong_comparisons(here: World, body: dict[str, Any], status: int, words: str) -> None:
    told = await here.ask(COMPARE, **body)
    assert told.status_code == status
    assert words in told.json()["error"]["message"]


async def test_an_error_of_a_lane_is_no_error_of_the_comparison(here: World) -> None:
    here.says(refuses(500, {"error": {"message": "broken"}}))
    told = await here.ask(COMPARE, models=["expert"])
    assert told.status_code == 200
    failed = next(each for kind, each in events(told.text) if kind == "lane" and each["type"] == "failed")
    assert (failed["kind"], failed["status"]) == ("ServerFailed", 500)


@pytest.mark.parametrize("name", ["model", "messages", "stream", "tools", "n", "stream_options", "models"])
async def test_what_is_asked_is_no_parameter(here: World, name: str) -> None:
    told = await here.ask(COMPARE, models=["default"], parameters={name: "dearer"})
    assert (told.status_code, told.json()["error"]["param"]) == (400, f"parameters.{name}")
    assert here.upstream.requests == []


async def test_a_long_question_is_not_told_back_whole_to_each_lane(here: World) -> None:
    question = "hay " * 100_000
    told = events((await here.ask(COMPARE, messages=[{"role": "user", "content": question}], models=["expert"])).text)
    asking = next(each for kind, each in told if kind == "lane" and each["type"] == "asking")
    said = asking["request"]["messages"][-1]["content"]
    assert said.startswith("hay hay")
    assert said.endswith("… (400,000 letters)")
    assert len(said) < 20_000
