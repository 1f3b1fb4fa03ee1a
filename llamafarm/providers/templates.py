"""Whether a server leaves tools out of the prompt without a word: its model's chat template has no place for them.

llama.cpp's server tells it by GET /props (`chat_template_caps`, before that the template itself;
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md). Ollama and embedded models refuse instead.
"""

from __future__ import annotations

import asyncio
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


async def ignored(exchange: Exchange) -> Caution | None:
    """What to tell of an answer without a call, where the template leaves tools out; asked once a server and model."""
    key, known = (exchange.model.base_url or "", exchange.model.model), exchange.client.toolless
    if key not in known:
        known[key] = False  # others needn't ask meanwhile
        known[key] = await _leaves_out(exchange)
    return IGNORED if known[key] else None


async def _leaves_out(exchange: Exchange) -> bool:
    model = exchange.model
    url = endpoint(model.base_url or "", "/props", drop=("/v1",))
    asking = Exchange(model, exchange.client, ChatRequest(()), url, {}, {"Accept": "application/json"}, "GET")
    try:
        async with asyncio.timeout(ASK_S):
            with Deadlines(model.timeout) as deadlines:
                async with aclosing(await asking.answered(deadlines)) as response:
                    return _without_tools(parse(await asking.whole(response_body(response), deadlines)))
    except (LlamaFarmError, ValueError, TimeoutError):
        return False


def _without_tools(props: JsonValue) -> bool:
    if not isinstance(props, dict):
        return False
    caps, template = props.get("chat_template_caps"), props.get("chat_template")
    if isinstance(caps, dict) and isinstance(takes := caps.get("supports_tools"), bool):
        return not takes
    return isinstance(template, str) and bool(template) and "tools" not in template
