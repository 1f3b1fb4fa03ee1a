"""Detects that a server drops tools without a word, because the model's chat template has no place for them.

llama.cpp's server tells it by GET /props (`chat_template_caps`, before that the template itself;
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md); Ollama by POST /api/show (`capabilities`,
before that the template; https://github.com/ollama/ollama/blob/main/docs/api.md#show-model-information), where it does
not refuse. Embedded models refuse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from llamafarm.core.conditions import Caution
from llamafarm.core.errors import LlamaFarmError
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.http.address import endpoint
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import Exchange, parse

ASK_S = 2.0
SERVER = "llama.cpp"  # as its header `Server` says
IGNORED = Caution(
    "tools_ignored",
    "The model was not told of its tools: its chat template has no place for them. "
    "Set tool_call_strategy: prompt_based.",
)


async def left_out(exchange: Exchange) -> Caution | None:
    """What to tell of an answer of llama.cpp's server without a call, where the template leaves tools out."""
    url, headers = endpoint(exchange.model.base_url or "", "/props", drop=("/v1",)), {"Accept": "application/json"}
    asking = Exchange(exchange.model, exchange.client, ChatRequest(()), url, {}, headers, "GET")
    return await _once(asking, _no_place_in_props)


async def left_out_by_ollama(exchange: Exchange) -> Caution | None:
    """The same of an answer of Ollama."""
    url = endpoint(exchange.model.base_url or "", "/api/show", drop=("/v1", "/api"))
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    body: dict[str, JsonValue] = {"model": exchange.model.model}
    return await _once(Exchange(exchange.model, exchange.client, ChatRequest(()), url, body, headers), _no_place_shown)


async def _once(asking: Exchange, leaves_out: Callable[[JsonValue], bool]) -> Caution | None:
    """Ask once a server and model."""
    key, known = (asking.model.base_url or "", asking.model.model), asking.client.toolless
    if key not in known:
        known[key] = False  # others needn't ask meanwhile
        known[key] = leaves_out(await _told(asking))
    return IGNORED if known[key] else None


async def _told(asking: Exchange) -> JsonValue:
    """What the server tells; None where it does not, soon."""
    try:
        async with asyncio.timeout(ASK_S):
            with Deadlines(asking.model.timeout) as deadlines:
                async with aclosing(await asking.answered(deadlines)) as response:
                    return parse(await asking.whole(response_body(response), deadlines))
    except (LlamaFarmError, ValueError, TimeoutError):
        return None


def _no_place_in_props(props: JsonValue) -> bool:
    if not isinstance(props, dict):
        return False
    caps, template = props.get("chat_template_caps"), props.get("chat_template")
    if isinstance(caps, dict) and isinstance(takes := caps.get("supports_tools"), bool):
        return not takes
    return isinstance(template, str) and bool(template) and "tools" not in template


def _no_place_shown(shown: JsonValue) -> bool:
    """A renderer of Ollama's own needs no place in the template: its capabilities, where they are told, are surer."""
    if not isinstance(shown, dict):
        return False
    capabilities, template = shown.get("capabilities"), shown.get("template")
    if isinstance(capabilities, list) and capabilities:
        return "tools" not in capabilities
    return isinstance(template, str) and bool(template) and ".Tools" not in template
