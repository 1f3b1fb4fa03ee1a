"""Keeps a model's own secrets out of what its server says: a policy that wraps a provider and is one.

Servers echo what they were sent: in answers, in errors, in a request's name. All that follows (page, history, API,
other models) sees only what has passed here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar, cast

from llamafarm.config.secrets.known import shown_json
from llamafarm.config.secrets.scrubber import ScrubbedText, Scrubber
from llamafarm.config.secrets.secret import shown_address
from llamafarm.core.conditions import ServerQueued
from llamafarm.core.errors import LlamaFarmError, ProviderError
from llamafarm.core.events import (
    CostReported,
    Event,
    Finished,
    HeldBack,
    Loaded,
    ReasoningDelta,
    Reclassified,
    Sent,
    TextDelta,
    ToolCalled,
    UsageReported,
)
from llamafarm.core.types import ChatRequest, JsonValue, SentRequest
from llamafarm.providers.base import Provider

_FIGURES = (CostReported, HeldBack, Loaded, ServerQueued)
_ASKED = ("messages", "tools", "prompt", "input")  # the person's own words, as they were sent

E = TypeVar("E", bound=LlamaFarmError)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A provider whose events and errors hold none of the secrets that `scrubber` knows."""

    provider: Provider
    scrubber: Scrubber

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """See `Provider`. Text that may be the beginning of a secret waits for the next piece; its instant stays."""
        answer = _Answer(self.scrubber)
        try:
            async with aclosing(self.provider.stream(request)) as events:
                async for event in events:
                    if type(event) is TextDelta and answer.passes(event):  # first what comes most often
                        yield event
                        continue
                    for told in answer.read(event):
                        yield told
        except LlamaFarmError as error:
            for told in answer.end():
                yield told
            raise scrubbed_error(error, self.scrubber) from None
        for told in answer.end():
            yield told


class _Answer:
    """The texts of one answer."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._text = ScrubbedText(scrubber)
        self._reasoning = ScrubbedText(scrubber)
        self._thinks = False

    def passes(self, event: TextDelta) -> bool:
        """Whether a piece of text is told as it is."""
        return not self._thinks and self._text.passes(event.text)

    def read(self, event: Event) -> Iterator[Event]:
        """The events that are decided once `event` has come."""
        match event:
            case TextDelta(text=text, at=at):
                yield from self._end_reasoning()
                for piece, came in self._text.feed(text, at):
                    yield TextDelta(at=came, text=piece)
            case ReasoningDelta(text=text, at=at):
                yield from self._end_text()
                self._thinks = True
                for piece, came in self._reasoning.feed(text, at):
                    yield ReasoningDelta(at=came, text=piece)
            case ToolCalled() | Finished() | Reclassified():
                yield from self.end()
                yield _clean(event, self._scrubber)
            case Sent(request=sent):
                yield replace(event, request=_shown(sent, self._scrubber))
            case UsageReported(usage=usage) if not usage.doubts:
                yield event
            case _ if isinstance(event, _FIGURES):
                yield event
            case _:
                yield _clean(event, self._scrubber)

    def end(self) -> Iterator[Event]:
        """What was held back."""
        yield from self._end_reasoning()
        yield from self._end_text()

    def _end_text(self) -> Iterator[Event]:
        for piece, came in self._text.end():
            yield TextDelta(at=came, text=piece)

    def _end_reasoning(self) -> Iterator[Event]:
        self._thinks = False
        for piece, came in self._reasoning.end():
            yield ReasoningDelta(at=came, text=piece)


def scrubbed_error(error: E, scrubber: Scrubber) -> E:
    """`error` itself, its words without secrets."""
    error.message, error.hint = scrubber.clean(error.message), scrubber.clean(error.hint)
    error.args = (error.message,)
    if isinstance(error, ProviderError):
        error.excerpt = scrubber.clean(error.excerpt)
        error.request_id = error.request_id and scrubber.clean(error.request_id)
    return error


def _shown(sent: SentRequest, scrubber: Scrubber) -> SentRequest:
    body: dict[str, JsonValue] = {
        name: value if name in _ASKED else _value(shown_json({name: value}), name) for name, value in sent.body.items()
    }
    return _clean(replace(sent, url=shown_address(sent.url), body=body), scrubber)


def _value(shown: JsonValue, name: str) -> JsonValue:
    return shown[name] if isinstance(shown, dict) else shown


T = TypeVar("T")


def _clean(value: T, scrubber: Scrubber) -> T:
    """A value of any shape that events have, with every text in it cleaned."""
    cleaned: object = value
    match value:
        case str():
            cleaned = scrubber.clean(value)
        case tuple():
            cleaned = tuple(_clean(each, scrubber) for each in value)
        case list():
            cleaned = [_clean(each, scrubber) for each in value]
        case Mapping():
            cleaned = {_clean(name, scrubber): _clean(each, scrubber) for name, each in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {each.name: _clean(getattr(value, each.name), scrubber) for each in fields(value)}
            cleaned = replace(value, **parts)
    return cast(T, cleaned)
