"""Ollama's own chat API: newline-delimited JSON from /api/chat.

The form is that of https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion;
durations are nanoseconds there. Counts come only in the last record, so a stopped answer has none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from llamafarm.config.model import NamedModel
from llamafarm.core.conditions import Cautioned, ServerQueued
from llamafarm.core.events import Event, Finished, Loaded
from llamafarm.core.parameters import OF_TOOLS
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.circles import Circles
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.answers.reading import answer
from llamafarm.providers.answers.uncut import refusing
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.http.address import endpoint
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.exchange import Exchange, parse
from llamafarm.providers.openai import body_of
from llamafarm.providers.templates import left_out_by_ollama

# Parameters that stand beside `options`; all others are options, under Ollama's own names.
TOP_LEVEL = ("keep_alive", "format", "think", "truncate", "shift", "logprobs", "top_logprobs")
RENAMED = {"max_tokens": "num_predict", "max_completion_tokens": "num_predict"}
NANOSECONDS = 1e9
A_DAY_S = 86_400.0


class Ollama:
    """One named model of an Ollama server, whose `base_url` may end in /v1."""

    def __init__(self, model: NamedModel, client: Client) -> None:
        self._model = model
        self._client = client

    def payload(self, request: ChatRequest) -> dict[str, JsonValue]:
        """The body of the request; see `body_of`."""
        options: dict[str, JsonValue] = {}
        uncalled = request.parameters.get("tool_choice") == "none"  # Ollama knows no such choice
        called = {call.id: call.name for message in request.messages for call in message.tool_calls}
        ours: dict[str, JsonValue] = {
            "model": self._model.model,
            "messages": [_message_json(message, called) for message in request.messages],
            "stream": True,
            "tools": None if uncalled else [dict(tool) for tool in request.tools] or None,
        }
        body: dict[str, JsonValue] = {}
        for name, value in request.parameters.items():
            if name in OF_TOOLS:
                continue
            if name in TOP_LEVEL:
                body[name] = value
            elif name == "response_format":
                body["format"] = _format(value)
            elif name == "stop":
                options[name] = value if isinstance(value, list) else [value]
            else:
                options[RENAMED.get(name, name)] = value
        if options:
            body["options"] = options
        given = {**body, **self._model.extra_body}
        return body_of(ours, {**given, **refusing(self._model, given)})

    def exchange(self, request: ChatRequest) -> Exchange:
        """The request as it will be sent."""
        headers = {"Content-Type": "application/json", "Accept": "application/x-ndjson"}
        url = ollama_address(self._model, "/api/chat")
        return Exchange(self._model, self._client, request, url, self.payload(request), headers)

    def listing(self) -> Exchange:
        """The request for the models that were pulled; see `Remote`."""
        url, headers = ollama_address(self._model, "/api/tags"), {"Accept": "application/json"}
        return Exchange(self._model, self._client, ChatRequest(()), url, {}, headers, "GET")

    def running(self) -> Exchange:
        """The request for the models that are in its memory; see `Residency`."""
        url, headers = ollama_address(self._model, "/api/ps"), {"Accept": "application/json"}
        return Exchange(self._model, self._client, ChatRequest(()), url, {}, headers, "GET")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`."""
        exchange = self.exchange(request)
        chat = ChatChunks(
            Counting(request, _context(exchange)),
            self._model.answer_bytes,
            _measures,
            "call_{number}_{name}",
            Circles(),
        )
        async with aclosing(answer(exchange, chat)) as events:
            async for event in events:
                offered = isinstance(event, Finished) and event.reason != "tool_calls" and exchange.body.get("tools")
                if offered and (caution := await left_out_by_ollama(exchange)) is not None:
                    yield Cautioned(at=event.at, caution=caution)
                yield event


def ollama_address(model: NamedModel, path: str = "") -> str:
    """The address of `path` at the model's server, whose base_url may be that of one of its APIs."""
    return endpoint(model.base_url or "", path, drop=("/v1", "/api"))


def _context(exchange: Exchange) -> int | None:
    """How many tokens the model has for prompt and answer: what was asked for, or what the project file says."""
    asked = exchange.request.parameters.get("num_ctx")
    return asked if isinstance(asked, int) and asked > 0 else exchange.model.context_window


def _measures(record: Mapping[str, JsonValue], came: Arrived) -> None:
    """What the last record tells of times: loading, and the wait in Ollama's own queue.

    `total_duration` runs from the request's arrival. What loading, reading and writing leave of it is the wait for
    other answers of the model: one at a time by default (OLLAMA_NUM_PARALLEL).
    """
    load, total, *work = (_span(record.get(f"{name}_duration")) for name in ("load", "total", "prompt_eval", "eval"))
    if load is not None:
        came.add(Loaded(at=came.at, seconds=load))
    if load is None or total is None or work[1] is None:
        return
    left = total - load - sum(span or 0.0 for span in work)
    if left >= 0:
        came.add(ServerQueued(at=came.at, seconds=left))


def _span(nanoseconds: JsonValue) -> float | None:
    """Seconds, of a span that can be: not negative, and no longer than a day."""
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, int | float):
        return None
    seconds = nanoseconds / NANOSECONDS
    return seconds if 0 <= seconds <= A_DAY_S else None


def _message_json(message: Message, called: Mapping[str, str]) -> dict[str, JsonValue]:
    """A message in Ollama's form; `called` are the names of the tools that were called, by the calls' ids."""
    body: dict[str, JsonValue] = {"role": message.role, "content": message.content}
    if (name := called.get(message.tool_call_id or "")) is not None:
        body |= {"tool_name": name, "tool_call_id": message.tool_call_id}
    if message.images:
        body["images"] = [image.data for image in message.images]
    if message.tool_calls:
        body["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": _arguments(call.arguments)}}
            for call in message.tool_calls
        ]
    return body


def _arguments(text: str) -> JsonValue:
    """A call's arguments as the object that Ollama wants; what is no JSON stays text."""
    try:
        return parse(text)
    except ValueError:
        return text


def _format(value: JsonValue) -> JsonValue:
    """OpenAI's response_format as Ollama's format: "json", or the schema itself."""
    match value:
        case {"type": "json_object"}:
            return "json"
        case {"type": "json_schema", "json_schema": {"schema": dict() as schema}}:
            return schema
        case _:
            return None
