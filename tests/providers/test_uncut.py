"""A server is asked to refuse a prompt that is too long, unless the project says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.http.client import open_client
from llamafarm.providers.openai import OpenAICompatible
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import Protocol, answer, plays
from tests.providers.helpers import REQUEST, ask, named

MISSING = "missing"
COMPRESSION: JsonValue = {"id": "context-compression", "enabled": False}


def payload(model: NamedModel, parameters: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    async def made() -> Mapping[str, JsonValue]:
        async with open_client() as client:
            return OpenAICompatible(model, client).payload(ChatRequest(REQUEST.messages, parameters))

    return asyncio.run(made())


async def sent(
    provider: str, protocol: Protocol, parameters: Mapping[str, JsonValue], **settings: JsonValue
) -> JsonValue:
    async with FaultServer(plays(protocol, answer(protocol, "so"))) as server:
        await ask(named(provider, server.url, **settings), request=ChatRequest(REQUEST.messages, parameters))
        body: JsonValue = server.requests[0].json()
        return body


@pytest.mark.parametrize(
    ("provider", "protocol", "field"), [("ollama", "ollama", "truncate"), ("universal", "openai", "auto_truncate")]
)
async def test_the_field_is_sent_unless_the_project_says_otherwise(
    provider: str, protocol: Protocol, field: str
) -> None:
    for parameters, extra, wanted in (
        ({}, {}, False),
        ({field: True}, {}, True),
        ({}, {field: True}, True),
        ({field: None}, {}, MISSING),
        ({}, {field: None}, MISSING),
    ):
        body = await sent(provider, protocol, parameters, extra_body=dict[str, JsonValue](extra))
        assert isinstance(body, dict)
        assert body.get(field, MISSING) == wanted
        assert "options" not in body


@pytest.mark.parametrize("provider", ["openai", "lemonade"])
async def test_no_other_server_gets_a_field_that_it_may_not_know(provider: str) -> None:
    body = await sent(provider, "openai", {})
    assert isinstance(body, dict)
    assert {"truncate", "auto_truncate", "plugins", "transforms"}.isdisjoint(body)


@pytest.mark.parametrize(
    ("given", "plugins"),
    [
        ({}, [COMPRESSION]),
        ({"plugins": [{"id": "web"}]}, [{"id": "web"}, COMPRESSION]),
        ({"plugins": [{"id": "context-compression"}]}, [{"id": "context-compression"}]),
        ({"transforms": ["middle-out"]}, None),
        ({"transforms": []}, [COMPRESSION]),
        ({"plugins": None}, None),
    ],
)
def test_openrouter_compresses_nothing(given: Mapping[str, JsonValue], plugins: JsonValue) -> None:
    for address in ("https://openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1"):
        model = named("openai", address, extra_body=given)
        assert payload(model, {}).get("plugins") == plugins
    assert "plugins" not in payload(named("openai", "https://notopenrouter.ai/api/v1"), {})
