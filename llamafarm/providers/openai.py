"""OpenAI's chat completions, and everything compatible (vLLM, Together, llama.cpp, OpenRouter, …)."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from functools import partial

import httpx

from llamafarm.config.model import NamedModel
from llamafarm.errors import Interrupted, ProviderError
from llamafarm.events import Event, Finished, Sent, is_content
from llamafarm.providers.chat_chunks import ChatChunks
from llamafarm.providers.deltas import Arrived, arrived
from llamafarm.providers.http.address import endpoint
from llamafarm.providers.http.body import Body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.exchange import Exchange, check_whole
from llamafarm.providers.uncut import refusing
from llamafarm.providers.usage import Counting
from llamafarm.types import ChatRequest, Image, JsonValue, Message
from llamafarm.wire.sse import EventStream, ServerEvent

DONE = "[DONE]"


class OpenAICompatible:
    """Chat completions over server-sent events at any `base_url`; `default_path` is for one without a path."""

    default_path = ""

    def __init__(self, model: NamedModel, client: Client) -> None:
        self.model = model
        self.client = client

    def address(self, path: str) -> str:
        """The address of `path` at the server."""
        return endpoint(self.model.base_url or "", path, default=self.default_path)

    def payload(self, request: ChatRequest) -> dict[str, JsonValue]:
        """The body of the request; see `body_of`."""
        ours: dict[str, JsonValue] = {
            "model": self.model.model or None,
            "messages": [message_json(message) for message in request.messages],
            "stream": True,
            "tools": [dict(tool) for tool in request.tools] or None,
        }
        counted: dict[str, JsonValue] = {"stream_options": {"include_usage": True}}
        given = {**request.parameters, **counted, **self.model.extra_body}
        return body_of(ours, {**given, **refusing(self.model, given)})

    def headers(self) -> dict[str, str]:
        """The headers, but for the key's."""
        return {"Content-Type": "application/json", "Accept": "text/event-stream"}

    def exchange(self, request: ChatRequest) -> Exchange:
        """The request as it will be sent."""
        url = self.address("/chat/completions")
        return Exchange(self.model, self.client, request, url, self.payload(request), self.headers())

    def listing(self) -> Exchange:
        """The request for the server's models; see `Remote`."""
        url, headers = self.address("/models"), {"Accept": "application/json"}
        return Exchange(self.model, self.client, ChatRequest(()), url, {}, headers, "GET")

    def records(self, request: ChatRequest) -> ChatChunks:
        """What turns the records of the answer to `request` into events."""
        return ChatChunks(Counting(request, self.model.context_window), self.model.answer_bytes)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; what came before an error is told first."""
        exchange = self.exchange(request)
        deadlines = Deadlines(self.model.timeout)
        chat = self.records(request)
        yield Sent(at=deadlines.started, request=exchange.sent())
        with deadlines:
            response = await exchange.answered(deadlines)
            async with self.client.endings.reading(response) as body:
                for told in exchange.reconnected(response):
                    yield told
                answer = _Answer(exchange, deadlines, chat, response.headers, body)
                try:
                    while (more := await answer.more()) is not None:
                        for event in more:
                            if is_content(event):
                                deadlines.begin()
                            yield event
                    for event in answer.end():
                        yield event
                except ProviderError:
                    for event in answer.held():
                        yield event
                    raise


class _Answer:
    """Reads one response, whatever form the server gave it."""

    def __init__(
        self, exchange: Exchange, deadlines: Deadlines, chat: ChatChunks, headers: httpx.Headers, body: Body
    ) -> None:
        self._exchange = exchange
        self._patience = deadlines
        self._chat = chat
        self._body = body
        self._kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._stream = EventStream()
        self._done = self._over = False
        self._at = deadlines.started

    async def more(self) -> Iterator[Event] | None:
        """The events of what arrives next; None when the answer has come to its end. Raises ProviderError."""
        if self._done or self._over:
            return None
        if self._kind == "text/html":
            raise self._exchange.faults.not_protocol("an HTML page")
        if self._kind == "application/json":
            body = await self._exchange.whole(self._body, self._patience)
            check_whole(body)
            self._over, self._at = True, time.perf_counter()
            return arrived(self._at, partial(self._record, body))
        chunk = await self._exchange.read(self._body, self._patience)
        if chunk is None:
            self._over = True
            return arrived(self._at, partial(self._told, self._stream.end()))
        self._at = chunk.at
        return arrived(self._at, partial(self._told, self._stream.feed(chunk.data)))

    def end(self) -> Iterator[Event]:
        """What was held back, and `Finished`; raises ProviderError where the answer did not come to its end."""
        yield from arrived(self._at, self._chat.end)
        yield self._finished()

    def held(self) -> Iterator[Event]:
        """What was held back where an error ends the answer."""
        return arrived(self._at, self._chat.held)

    def _told(self, stream: Iterable[ServerEvent], came: Arrived) -> None:
        for told in stream:
            if self._done or not told.data:
                continue
            if told.data.strip() == DONE:
                self._done = True
            else:
                self._record(told.data, came)

    def _record(self, text: str | bytes, came: Arrived) -> None:
        record = self._exchange.record(text)
        if record.get("error"):
            self._chat.told(record, came)
            raise self._exchange.faults.in_stream(record)
        self._chat.feed(record, came)

    def _finished(self) -> Finished:
        """The last event; raises where the answer did not come to its end."""
        if self._chat.finish_reason is None and not self._done:
            if not self._chat.seen:
                raise self._exchange.faults.not_protocol("something that is no chat completion")
            raise Interrupted(
                f"{self._exchange.faults.server} ended the stream before the answer was complete.",
                hint="What had come is kept.",
            )
        return Finished(at=self._at, reason=self._chat.finish_reason or "unknown")


def message_json(message: Message) -> dict[str, JsonValue]:
    """A message in OpenAI's form."""
    body: dict[str, JsonValue] = {"role": message.role, "content": message.content}
    if message.images:
        body["content"] = [{"type": "text", "text": message.content}, *map(_image_json, message.images)]
    if message.tool_calls:
        body["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        body["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        body["name"] = message.name
    return body


def _image_json(image: Image) -> JsonValue:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.data}"}}


def body_of(ours: Mapping[str, JsonValue], others: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A request's body: nothing among `others` stands in for what is `ours`; a null takes a field away."""
    body = {**ours, **others, **ours}
    return {name: value for name, value in body.items() if value is not None}
