"""Ollama's own chat API: newline-delimited JSON from /api/chat.

The form is that of https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion;
durations are nanoseconds there. Counts come only in the last record, so a stopped answer has none.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from functools import partial

import httpx

from llamafarm.conditions import ServerQueued
from llamafarm.config.model import NamedModel
from llamafarm.errors import Interrupted, ProviderError
from llamafarm.events import Event, Finished, Loaded, Sent, ToolCalled, is_content
from llamafarm.parameters import OF_TOOLS
from llamafarm.providers.chat_chunks import LONGEST_NAME
from llamafarm.providers.deltas import Arrived, arrived
from llamafarm.providers.http.address import endpoint
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import Exchange, parse
from llamafarm.providers.openai import body_of
from llamafarm.providers.uncut import refusing
from llamafarm.providers.usage import Counting
from llamafarm.types import ChatRequest, JsonValue, Message, ToolCall
from llamafarm.wire.ndjson import Records
from llamafarm.wire.thinking import Thinking

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
        deadlines = Deadlines(self._model.timeout)
        yield Sent(at=deadlines.started, request=exchange.sent())
        with deadlines:
            async with (
                aclosing(await exchange.answered(deadlines)) as response,
                aclosing(_events(exchange, deadlines, response)) as events,
            ):
                for told in exchange.reconnected(response):
                    yield told
                async for event in events:
                    if is_content(event):
                        deadlines.begin()
                    yield event


def ollama_address(model: NamedModel, path: str = "") -> str:
    """The address of `path` at the model's server, whose base_url may be that of one of its APIs."""
    return endpoint(model.base_url or "", path, drop=("/v1", "/api"))


async def _events(exchange: Exchange, deadlines: Deadlines, response: httpx.Response) -> AsyncGenerator[Event, None]:
    if response.headers.get("content-type", "").startswith("text/html"):
        raise exchange.faults.not_protocol("an HTML page")
    answer, body = _Answer(exchange), response_body(response)
    at = deadlines.started
    records = Records()
    try:
        while chunk := await exchange.read(body, deadlines):
            at = chunk.at
            for event in arrived(at, partial(answer.records, records.feed(chunk.data))):
                yield event
        for event in arrived(at, partial(answer.records, records.end())):
            yield event
    except ProviderError:
        for event in arrived(at, answer.held):
            yield event
        raise
    for event in arrived(at, answer.held):
        yield event
    yield answer.end(at)


class _Answer:
    """Folds the records of one answer into events."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._thinking = Thinking()
        self._reason: str | None = None
        self._seen = False
        self._called = False
        self._counting = Counting(exchange.request, _context(exchange))

    def records(self, texts: Iterable[str], came: Arrived) -> None:
        for text in texts:
            self._record(text, came)

    def _record(self, text: str, came: Arrived) -> None:
        record = self._exchange.record(text)
        if record.get("error"):
            raise self._exchange.faults.in_stream(record)
        message = record.get("message")
        if isinstance(message, dict):
            self._seen = True
            self._message(message, came)
        if record.get("done") is True:
            self._seen = True
            reason = record.get("done_reason")
            self._reason = reason[:LONGEST_NAME] if isinstance(reason, str) else "stop"
            self._counting.ended = True
            self._counting.take(record, came)
            _measures(record, came)

    def _message(self, message: Mapping[str, JsonValue], came: Arrived) -> None:
        thinking, content, calls = (message.get(name) for name in ("thinking", "content", "tool_calls"))
        if isinstance(thinking, str) and thinking:
            self._counting.letters += len(thinking)
            self._counting.thought = True
            came.reasoning(thinking)
        if isinstance(content, str) and content:
            self._counting.letters += len(content)
            if self._thinking.over:
                came.text(content)
            else:
                came.read(self._thinking.feed(content))
        for index, call in enumerate(calls if isinstance(calls, list) else []):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(name := function.get("name"), str):
                self._called = True
                arguments = function.get("arguments")
                written = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
                name = name[:LONGEST_NAME]
                self._counting.letters += len(name) + len(written)
                came.add(ToolCalled(at=came.at, call=ToolCall(f"call_{index}_{name}", name, written)))

    def held(self, came: Arrived) -> None:
        came.pieces(self._thinking.end())
        if self._reason is not None:
            self._counting.end(came)

    def end(self, at: float) -> Finished:
        if not self._seen:
            raise self._exchange.faults.not_protocol("something that is no chat answer")
        if self._reason is None:
            raise Interrupted(
                f"{self._exchange.faults.server} ended the stream before the answer was complete.",
                hint="What had come is kept.",
            )
        return Finished(at=at, reason="tool_calls" if self._called and self._reason == "stop" else self._reason)


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
        body["tool_name"] = name
    if message.images:
        body["images"] = [image.data for image in message.images]
    if message.tool_calls:
        body["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _arguments(call.arguments)}} for call in message.tool_calls
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
