"""An answer has a length: whatever the server sends, in whichever form and protocol."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.project import parse
from llamafarm.core.events import Event, Failed, ReasoningDelta, TextDelta, ToolCalled
from llamafarm.core.tokens import Growing, estimate
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from llamafarm.providers.registry import Providers
from llamafarm.providers.wire.tool_calls import CLOSE, OPEN, ToolText
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import TYPES, Protocol, chunk, event, record, said, thought

MIB = 1024 * 1024
PIECE = "hay " * 4096  # 16 KiB
Make = Callable[[Protocol], bytes]


def endless(protocol: Protocol, piece: bytes, *, head: bytes = b"", kind: str | None = None) -> Script:
    """Sends `piece` again and again, until nobody listens."""

    async def script(exchange: Exchange) -> None:
        try:
            await exchange.head(content_type=kind or TYPES[protocol])
            await exchange.send(head or b"\n")
            while not exchange.seen.gone.is_set():
                exchange.seen.sent.clear()
                await exchange.send(piece)
        finally:
            exchange.seen.gone.set()

    return script


def project(provider: str, url: str, **settings: Any) -> Project:
    model = NamedModel(name="a", provider=provider, model="m", base_url=url, **{"max_answer_mib": 1.0, **settings})
    return Project(namespace="n", name="p", models=(model,), default_model="a")


async def answers(script: Script, provider: str, **settings: Any) -> tuple[list[Event], FaultServer]:
    async with FaultServer(script) as server, open_client() as client, EmbeddedModels(client) as embedded:
        here = project(provider, server.url, **settings)
        lane = chat(
            here, Lane("a", here.models[0]), Question.of("Hello"), Providers(client, embedded.provider), Cooldowns()
        )
        async with aclosing(lane) as events:
            told = [each async for each in events]
        async with asyncio.timeout(10):
            await server.requests[0].gone.wait()
        assert len(server.requests) == 1
        return told, server


def call_piece(protocol: Protocol) -> bytes:
    function = {"name": "f", "arguments": PIECE}
    if protocol == "ollama":
        return record({"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": PIECE}}}]})
    return chunk({"tool_calls": [{"index": 0, "id": "c", "function": function}]})


FORMS: dict[str, Make] = {
    "text": lambda protocol: said(protocol, PIECE),
    "reasoning": lambda protocol: thought(protocol, PIECE),
    "arguments of a call": call_piece,
    "text of three bytes a letter": lambda protocol: said(protocol, "草" * 4096),
    "many in one go": lambda protocol: said(protocol, "hay ") * 2000,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("provider", "protocol"),
    [("openai", "openai"), ("universal", "openai"), ("lemonade", "openai"), ("ollama", "ollama")],
)
async def test_an_answer_without_end_is_ended_and_kept(form: str, provider: str, protocol: Protocol) -> None:
    told, _ = await answers(endless(protocol, FORMS[form](protocol)), provider)
    last = told[-1]
    assert isinstance(last, Failed)
    assert last.kind == "AnswerTooLong"
    assert "1 MiB" in last.message
    assert "max_answer_mib" in last.hint
    text = "".join(each.text for each in told if isinstance(each, TextDelta | ReasoningDelta))
    assert len(text.encode()) <= MIB
    if not form.startswith("arguments"):
        assert len(text.encode()) >= MIB - 3


async def test_calls_by_the_thousand_are_too_long_too() -> None:
    calls = [{"index": at, "id": f"c{at}", "function": {"name": "f", "arguments": ""}} for at in range(5000)]
    told, _ = await answers(endless("openai", chunk({"tool_calls": calls})), "openai")
    assert isinstance(told[-1], Failed)
    assert told[-1].kind == "AnswerTooLong"
    assert not any(isinstance(each, ToolCalled) for each in told)
    many = record({"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}] * 5000})
    told, _ = await answers(endless("ollama", many), "ollama")
    assert isinstance(told[-1], Failed)
    assert sum(isinstance(each, ToolCalled) for each in told) <= 20


@pytest.mark.parametrize(("provider", "kind"), [("openai", None), ("openai", "application/json"), ("ollama", None)])
async def test_a_line_or_a_body_without_an_end(provider: str, kind: str | None) -> None:
    protocol: Protocol = "ollama" if provider == "ollama" else "openai"
    told, _ = await answers(
        endless(protocol, b"x" * 65536, head=b'data: {"a": "' if kind is None else b'{"a": "', kind=kind), provider
    )
    assert isinstance(told[-1], Failed)
    assert told[-1].kind == "BadAnswer"
    assert "MiB" in told[-1].message


async def test_events_without_content_take_no_memory_and_end_with_the_deadline() -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}) * 50
    timeout = {"timeout": {"first_token": 0.5, "total": 0.5}}
    told, _ = await answers(endless("openai", b": nothing\n\n" * 1000 + usage), "openai", **timeout)
    assert isinstance(told[-1], Failed)
    assert told[-1].kind == "TimedOut"


async def test_nested_json_is_told_as_what_it_is() -> None:
    told, _ = await answers(endless("openai", event("[" * 100_000)), "openai")
    assert isinstance(told[-1], Failed)
    assert told[-1].kind == "BadAnswer"


async def test_a_page_of_titles_in_an_error_takes_no_time() -> None:
    async def script(exchange: Exchange) -> None:
        body = b"<title>" * 9000
        await exchange.head(400, "text/html", content_length=str(len(body)))
        await exchange.send(body)
        exchange.seen.gone.set()

    began = time.perf_counter()
    told, _ = await answers(script, "openai")
    assert isinstance(told[-1], Failed)
    assert time.perf_counter() - began < 2


async def test_what_a_llamafarm_server_tells_is_short() -> None:
    told = {"model": "m" * 10**6, "route": {"signals": {"x": ["y" * 10**5]}}, "fallbacks": [{"model": "z"}] * 10**4}
    relayed = event({"llamafarm": told, "choices": [{"delta": {"content": "x"}, "finish_reason": "q" * 10**6}]})
    found, _ = await answers(endless("openai", relayed), "openai", max_answer_mib=0.0001)
    assert all(len(str(each)) < 200_000 for each in found)


# --- nothing that is held is gone through again with each piece -----------------------------------------


@pytest.mark.parametrize("start", [OPEN, '{"name": "f"', " ", "plain "])
def test_a_call_that_never_ends_takes_a_moment(start: str) -> None:
    reader, began = ToolText(["f"]), time.perf_counter()
    assert list(reader.feed(start)) in ([], [start])
    for _ in range(200_000):
        list(reader.feed("    "))
    list(reader.end())
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_call_ends_wherever_its_tag_is_split(size: int) -> None:
    text = f'{OPEN}{{"name": "f", "arguments": {{"x": "{"y" * 50}"}}}}{CLOSE} and more'
    reader = ToolText(["f"])
    told = [piece for at in range(0, len(text), size) for piece in reader.feed(text[at : at + size])]
    told += list(reader.end())
    assert json.loads(told[0].arguments) == {"x": "y" * 50}  # type: ignore[union-attr]
    assert "".join(map(str, told[1:])) == "and more"


def test_tokens_of_megabytes_are_estimated_at_once() -> None:
    text, began = "hay, " * 1_600_000, time.perf_counter()
    assert 0.9 < estimate(text) / (2 * 1_600_000) < 1.1
    growing, text = Growing(), "a" * 4_000_000
    for end in range(0, len(text), 20_000):
        growing.estimate(text[:end])
    assert time.perf_counter() - began < 6


# --- where the bound stands --------------------------------------------------------------------------


FILE = "runtime:\n  models:\n    - {{name: a, provider: openai, base_url: http://127.0.0.1:9, model: m, max_answer_mib: {}}}\n"


def test_the_project_file_sets_it_and_an_untrusted_one_does_not_raise_it() -> None:
    for trusted, said_mib, mib in ((True, 32, 32), (False, 32, 8), (False, 0.5, 0.5)):
        loaded = parse(FILE.format(said_mib), trusted=trusted)
        assert loaded.project is not None
        assert loaded.project.models[0].max_answer_mib == mib
    (problem,) = parse(FILE.format(1000), trusted=True).errors
    assert problem.key.endswith("max_answer_mib")
    assert problem.line == 3
