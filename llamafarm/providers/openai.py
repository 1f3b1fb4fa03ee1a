"""OpenAI's chat completions, and everything compatible (vLLM, Together, llama.cpp, OpenRouter, …)."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from llamafarm.config.model import NamedModel
from llamafarm.core.conditions import Caution, Cautioned
from llamafarm.core.errors import RequestRejected
from llamafarm.core.events import Event, Finished, Retrying, is_content
from llamafarm.core.types import ChatRequest, Image, JsonValue, Message
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.reading import answer
from llamafarm.providers.answers.uncut import refusing
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.http.address import endpoint
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.exchange import Exchange
from llamafarm.providers.templates import SERVER, left_out

COUNTED: Mapping[str, JsonValue] = {"stream_options": {"include_usage": True}}


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
        given = {**request.parameters, **COUNTED, **self.model.extra_body}
        return body_of(ours, {**given, **refusing(self.model, given)})

    def headers(self) -> dict[str, str]:
        """The headers, but for the key's."""
        return {"Content-Type": "application/json", "Accept": "text/event-stream"}

    def exchange(self, request: ChatRequest) -> Exchange:
        """The request as it will be sent."""
        url = self.address("/chat/completions")
        refused = self.client.refused.get(url, frozenset[str]())
        body = {name: value for name, value in self.payload(request).items() if name not in refused}
        return Exchange(self.model, self.client, request, url, body, self.headers())

    def added(self, request: ChatRequest, body: Mapping[str, JsonValue]) -> frozenset[str]:
        """The fields of a body that are neither the project's nor the asker's: a server may refuse them."""
        given = {**request.parameters, **self.model.extra_body}
        return frozenset(
            name for name in (*COUNTED, *refusing(self.model, given)) if name in body and name not in given
        )

    def listing(self) -> Exchange:
        """The request for the server's models; see `Remote`."""
        url, headers = self.address("/models"), {"Accept": "application/json"}
        return Exchange(self.model, self.client, ChatRequest(()), url, {}, headers, "GET")

    def records(self, request: ChatRequest) -> ChatChunks:
        """What turns the records of the answer to `request` into events."""
        return ChatChunks(Counting(request, self.model.context_window), self.model.answer_bytes)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; what came before an error is told first."""
        begun, left = False, 2  # tries
        while left:
            exchange, chat, left = self.exchange(request), self.records(request), left - 1
            try:
                async with aclosing(answer(exchange, chat)) as events:
                    async for event in events:
                        begun = begun or is_content(event)
                        if isinstance(event, Finished) and (caution := await _toolless(exchange, chat, event)):
                            yield Cautioned(at=event.at, caution=caution)
                        yield event
                left = 0
            except RequestRejected as error:
                refused = self.added(request, exchange.body) & frozenset(error.named)
                if begun or not left or type(error) is not RequestRejected or not refused:
                    raise
                self.client.refused[exchange.url] = self.client.refused.get(exchange.url, frozenset()) | refused
                why = f"{error.message} Asked again without it, now and from now on."
                yield Retrying(at=time.perf_counter(), attempt=2, delay_s=0.0, kind=type(error).__name__, message=why)


async def _toolless(exchange: Exchange, chat: ChatChunks, end: Finished) -> Caution | None:
    """Whether tools were left out of the prompt: asked behind the answer, so that it is in no time."""
    if end.reason == "tool_calls" or chat.server != SERVER or not exchange.body.get("tools"):
        return None
    return await left_out(exchange)


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
