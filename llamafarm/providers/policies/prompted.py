"""Tools for models that know none: described in the prompt, called in text. A policy that wraps a provider and is one.

The words are those of the Hermes models' function calling, shortened; see `llamafarm.providers.wire.tool_calls`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from llamafarm.core import tokens
from llamafarm.core.errors import ProviderError
from llamafarm.core.events import Event, Finished, HeldBack, Reclassified, TextDelta, ToolCalled
from llamafarm.core.parameters import without_tools
from llamafarm.core.types import ChatRequest, JsonValue, Message, ToolCall
from llamafarm.providers.answers.calls import fresh_id
from llamafarm.providers.answers.choice import Choice
from llamafarm.providers.base import Provider
from llamafarm.providers.wire.held import Held
from llamafarm.providers.wire.tool_calls import CLOSE, OPEN, ToolText, WrittenCall

GUIDE = """You can call tools. Here they are, as JSON with a schema of their arguments:
<tools>
{tools}
</tools>
To call one, write its name and arguments as JSON in this form, and then stop:
{open}{{"name": "the tool's name", "arguments": {{"an argument": "its value"}}}}{close}
Its result comes back in <tool_response></tool_response>. {rule}"""
SHARE = 2  # tools take at most 1/SHARE of the context; beyond, they are described in short
BRIEF = 80  # characters of a description in short


@dataclass(frozen=True, slots=True)
class Prompted:
    """Puts a request's tools into its prompt, and reads calls out of the answer's text. `window` is in tokens."""

    provider: Provider
    window: int

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`; a call is told as `ToolCalled` and is not part of the text.

        `tool_choice` and `parallel_tool_calls` are words of the prompt: the server is sent neither. Raises
        RequestRejected for a choice that there is not.
        """
        choice = Choice.of(request.parameters)
        functions = choice.among([function for tool in request.tools if (function := _function(tool))])
        taken = {call.id for message in request.messages for call in message.tool_calls}
        reader = _Reader([str(function["name"]) for function in functions], taken)
        messages = tuple(self._messages(request.messages, functions, choice.rule()))
        plain = replace(without_tools(request), messages=messages)
        last = 0.0
        try:
            async with aclosing(self.provider.stream(plain)) as events:
                async for event in events:
                    last = event.at
                    for told in reader.read(event):
                        yield told
        except ProviderError:
            for told in reader.rest(last):
                yield told
            raise

    def _messages(
        self, messages: Iterable[Message], functions: list[dict[str, JsonValue]], rule: str
    ) -> Iterator[Message]:
        written = _as_text(messages)
        if not functions:
            return iter(written)
        guide = GUIDE.format(tools=self._described(functions), open=OPEN, close=CLOSE, rule=rule)
        first = written[0] if written and written[0].role == "system" else None
        if first is None:
            return iter([Message("system", guide), *written])
        return iter([replace(first, content=f"{first.content}\n\n{guide}"), *written[1:]])

    def _described(self, functions: list[dict[str, JsonValue]]) -> str:
        whole = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
        if tokens.estimate(whole) <= self.window // SHARE:
            return whole
        return "\n".join(json.dumps(_brief(function), ensure_ascii=False) for function in functions)


class _Reader:
    """Turns the events of a model that writes its calls into those of one that makes them."""

    def __init__(self, names: list[str], taken: set[str]) -> None:
        self._names = names
        self._taken = taken
        self._text = ToolText(names) if names else None
        self._held = Held()
        self._calls = 0

    def read(self, event: Event) -> Iterator[Event]:
        """The events that are decided once `event` has come."""
        if self._text is None:
            yield event
            return
        match event:
            case TextDelta(text=text):
                shown = list(self._told(self._text.feed(text), event.at))
                self._held.keep(self._text.held, event.at, more=not shown)
                yield from shown or [HeldBack(at=event.at)]
            case ToolCalled(call=call):  # the model wrote it in a form of its own
                known = fresh_id(self._taken, "call_{number}", 0) if call.id in self._taken else call.id
                self._taken.add(known)
                yield replace(event, call=replace(call, id=known))
            case Reclassified():
                yield from self.rest(event.at)
                yield event
                self._text = ToolText(self._names)
            case Finished(reason=reason):
                yield from self.rest(event.at)
                yield replace(event, reason="tool_calls" if self._calls and reason == "stop" else reason)
            case _:
                yield event

    def rest(self, at: float) -> Iterator[Event]:
        """What was held back until the end."""
        if self._text is not None:
            yield from self._told(self._text.end(), at)

    def _told(self, pieces: Iterator[str | WrittenCall], at: float) -> Iterator[Event]:
        for place, piece in enumerate(pieces):
            match piece:
                case str():
                    for text, came in [(piece, at)] if place else self._held.timed(piece, at):
                        yield TextDelta(at=came, text=text)
                case WrittenCall():
                    self._calls += 1
                    known = fresh_id(self._taken, "call_{number}", self._calls)
                    self._taken.add(known)
                    yield ToolCalled(at=at, call=ToolCall(known, piece.name, piece.arguments))


def _as_text(messages: Iterable[Message]) -> list[Message]:
    """Messages without calls and results of their own: they are written into the text, as the guide says."""
    written: list[Message] = []
    results: list[str] = []
    for message in messages:
        if message.role == "tool":
            results.append(f"<tool_response>\n{message.content}\n</tool_response>")
            continue
        if results:
            written.append(Message("user", "\n".join(results)))
            results = []
        calls = [
            f'{OPEN}{{"name": {json.dumps(c.name)}, "arguments": {c.arguments}}}{CLOSE}' for c in message.tool_calls
        ]
        text = "\n".join(part for part in (message.content.strip(), *calls) if part) if calls else message.content
        written.append(replace(message, content=text, tool_calls=()))
    if results:
        written.append(Message("user", "\n".join(results)))
    return written


def _function(tool: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Name, description and parameters of a definition, in OpenAI's form or LlamaFarm's own; None without a name."""
    inner = tool.get("function")
    function = inner if isinstance(inner, dict) else tool
    if not isinstance(function.get("name"), str):
        return None
    return {key: function[key] for key in ("name", "description", "parameters") if function.get(key) is not None}


def _brief(function: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A tool in short: the start of its description, and its arguments with their types alone."""
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    kinds = properties.items() if isinstance(properties, dict) else ()
    arguments: dict[str, JsonValue] = {
        name: str(schema.get("type", "any")) if isinstance(schema, dict) else "any" for name, schema in kinds
    }
    description = str(function.get("description", "")).partition(". ")[0][:BRIEF]
    return {"name": function["name"], "description": description, "arguments": arguments}
