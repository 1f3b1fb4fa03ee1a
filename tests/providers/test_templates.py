"""A chat template without a place for tools is told beside the answer; its server is asked once, and outside of times."""

from __future__ import annotations

import json

import pytest

from llamafarm.core.conditions import Cautioned
from llamafarm.core.events import Event, Finished, TextDelta
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.providers.http.client import open_client
from llamafarm.providers.ollama import Ollama
from llamafarm.providers.openai import OpenAICompatible
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import answer, chunk, ending, record
from tests.providers.captured import sends
from tests.providers.helpers import named

LOOK: dict[str, JsonValue] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "look", "arguments": "{}"}}]})
CALLS = [CALL, ending("openai", "tool_calls")]


def serves(
    props: JsonValue, *, server: str = "llama.cpp", status: int = 200, pieces: list[bytes] | None = None
) -> Script:
    async def script(exchange: Exchange) -> None:
        if exchange.seen.path == "/props":
            await exchange.head(status, "application/json", server=server)
            await exchange.send((props if isinstance(props, str) else json.dumps(props)).encode())
        else:
            await exchange.head(server=server)
            for piece in pieces or answer("openai", "so"):
                await exchange.send(piece)
        await exchange.end()

    return script


async def asked(script: Script, times: int = 1, **parameters: JsonValue) -> tuple[list[list[Event]], list[str]]:
    request = ChatRequest((Message("user", "Look!"),), parameters, tools=(LOOK,))
    async with FaultServer(script) as server, open_client() as client:
        provider = OpenAICompatible(named("openai", f"{server.url}/v1"), client)
        told = [[event async for event in provider.stream(request)] for _ in range(times)]
        return told, [seen.path for seen in server.requests]


def kinds(events: list[Event]) -> list[str]:
    return [event.caution.kind for event in events if isinstance(event, Cautioned)]


@pytest.mark.parametrize(
    "props", [{"chat_template_caps": {"supports_tools": False}}, {"chat_template": "{{ messages }}"}]
)
async def test_it_is_told_before_the_end_and_asked_once(props: JsonValue) -> None:
    told, paths = await asked(serves(props), 3)
    assert [kinds(events) for events in told] == [["tools_ignored"]] * 3
    assert paths.count("/props") == 1
    last, came = told[0][-1], [event.at for event in told[0] if isinstance(event, TextDelta)]
    assert isinstance(last, Finished)
    assert last.at - came[-1] < 1  # the asking is in no time


@pytest.mark.parametrize(
    ("props", "status"),
    [
        ({"chat_template_caps": {"supports_tools": True}}, 200),
        ({"chat_template": "{% if tools %}{{ tools }}{% endif %}"}, 200),
        ({"chat_template_caps": {}}, 200),
        ({"chat_template": ""}, 200),
        ([], 200),
        ("no JSON", 200),
        ({"error": "off"}, 501),
        ({"error": "no"}, 404),
    ],
)
async def test_what_is_not_known_is_not_said(props: JsonValue, status: int) -> None:
    (events,), _ = await asked(serves(props, status=status))
    assert kinds(events) == []
    assert isinstance(events[-1], Finished)


async def test_nobody_is_asked_where_it_does_not_matter() -> None:
    blind: JsonValue = {"chat_template_caps": {"supports_tools": False}}
    for script in (serves(blind, server="uvicorn"), serves(blind, pieces=CALLS)):
        (events,), paths = await asked(script)
        assert (kinds(events), paths) == ([], ["/v1/chat/completions"])


# --- Ollama


def shows(shown: JsonValue | Script, pieces: list[bytes] | None = None) -> Script:
    async def script(exchange: Exchange) -> None:
        if exchange.seen.path != "/api/show":
            await exchange.head(content_type="application/x-ndjson")
            for piece in pieces or answer("ollama", "so"):
                await exchange.send(piece)
        elif callable(shown):
            await shown(exchange)
            return
        else:
            await exchange.head(content_type="application/json")
            await exchange.send(json.dumps(shown).encode())
        await exchange.end()

    return script


async def asked_of_ollama(script: Script, times: int = 1, path: str = "") -> tuple[list[list[Event]], list[str]]:
    request = ChatRequest((Message("user", "Look!"),), tools=(LOOK,))
    async with FaultServer(script) as server, open_client() as client:
        provider = Ollama(named("ollama", f"{server.url}{path}"), client)
        told = [[event async for event in provider.stream(request)] for _ in range(times)]
        assert all(seen.json()["model"] == "llama3.1:8b" for seen in server.requests)
        return told, [seen.path for seen in server.requests]


@pytest.mark.parametrize("path", ["", "/v1", "/api"])
@pytest.mark.parametrize(
    "shown",
    [{"capabilities": ["completion"]}, {"template": "{{ .Prompt }}"}, {"capabilities": ["completion", "vision"]}],
)
async def test_ollama_is_asked_once_too(shown: JsonValue, path: str) -> None:
    told, paths = await asked_of_ollama(shows(shown), 3, path)
    assert [kinds(events) for events in told] == [["tools_ignored"]] * 3
    assert paths.count("/api/show") == 1


@pytest.mark.parametrize(
    "shown",
    [
        {"capabilities": ["completion", "tools"], "template": "{{ .Prompt }}"},  # it renders them itself
        {"capabilities": [], "template": "{{ if .Tools }}{{ .Tools }}{{ end }}"},
        {"template": ""},
        {"error": "model not found"},
        ["tools"],
        sends("ollama_show"),
    ],
)
async def test_what_ollama_does_not_tell_is_not_said(shown: JsonValue | Script) -> None:
    (events,), paths = await asked_of_ollama(shows(shown))
    assert (kinds(events), paths.count("/api/show")) == ([], 1)
    assert isinstance(events[-1], Finished)


async def test_ollama_is_not_asked_behind_a_call() -> None:
    call = record({"content": "", "tool_calls": [{"function": {"name": "look", "arguments": {}}}]})
    (events,), paths = await asked_of_ollama(shows({"capabilities": []}, [call, ending("ollama")]))
    assert (kinds(events), paths) == ([], ["/api/chat"])
