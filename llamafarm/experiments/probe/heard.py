"""One answer to a probe's question: its pieces and their times."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from llamafarm.core import tokens
from llamafarm.core.conditions import ModelNamed, ServerQueued
from llamafarm.core.errors import LlamaFarmError, RequestRejected
from llamafarm.core.events import (
    Event,
    Finished,
    HeldBack,
    Loaded,
    ReasoningDelta,
    Reclassified,
    TextDelta,
    ToolCalled,
    UsageReported,
    is_content,
)
from llamafarm.core.types import ChatRequest, ToolCall, Usage

Ask = Callable[[ChatRequest], AsyncGenerator[Event, None]]


@dataclass(slots=True)
class Heard:
    """An answer until it ended, failed (`error`), or was `cancelled` at its first piece; instants as in `events`.

    `arrivals` are the different instants at which pieces of it came. `model` is the server's own word for who answered.
    `mixed`: its reasoning came in the text, and only the end of it was marked.
    """

    request: ChatRequest
    began: float = field(default_factory=time.perf_counter)
    arrivals: list[float] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    reason: str | None = None
    error: LlamaFarmError | None = None
    load_s: float | None = None
    queue_s: float | None = None
    model: str = ""
    mixed: bool = False
    cancelled: bool = False
    ended: float | None = None

    def add(self, event: Event) -> None:
        """Take the next event."""
        came = is_content(event) or isinstance(event, HeldBack)
        if came and (not self.arrivals or event.at > self.arrivals[-1]):
            self.arrivals.append(event.at)
        match event:
            case TextDelta(text=text):
                self.text += text
            case ReasoningDelta(text=text):
                self.reasoning += text
            case Reclassified():
                self.reasoning, self.text, self.mixed = self.reasoning + self.text, "", True
            case ToolCalled(call=call):
                self.calls.append(call)
            case _:
                self._told(event)

    def _told(self, event: Event) -> None:
        """What the server tells beside its answer."""
        match event:
            case UsageReported(usage=usage):
                self.usage = usage
            case Loaded(seconds=seconds):
                self.load_s = seconds
            case ServerQueued(seconds=seconds):
                self.queue_s = seconds
            case ModelNamed(model=model):
                self.model = model
            case Finished(reason=reason):
                self.reason, self.ended = reason, event.at

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return self.reason is not None

    @property
    def refused(self) -> bool:
        """Whether the server would not take the request as it was."""
        return isinstance(self.error, RequestRejected)

    @property
    def first_s(self) -> float | None:
        """Seconds to its first piece, whatever that was."""
        return self.arrivals[0] - self.began if self.arrivals else None

    @property
    def given(self) -> int | None:
        """Input tokens as the server told them."""
        count = self.usage.input
        return count.value if count is not None and count.source == "reported" else None

    @property
    def made(self) -> int | None:
        """Output tokens as the server told them."""
        count = self.usage.output
        return count.value if count is not None and count.source == "reported" else None

    @property
    def seen(self) -> int:
        """Output tokens as told, else as estimated from what came."""
        return tokens.estimate(self.text) + tokens.estimate(self.reasoning) if self.made is None else self.made

    @property
    def spent(self) -> int:
        """Tokens that it took, input and output, as told or else as estimated; nothing where the request was refused.

        A server may go on with a cancelled answer: it counts with all that was asked for.
        """
        if self.error is not None and not self.arrivals:
            return 0
        given = tokens.estimate_messages(self.request.messages) if self.given is None else self.given
        return given + (bound_of(self.request) if self.cancelled else self.seen)

    @property
    def why(self) -> str:
        """In a sentence why there is no answer."""
        return "" if self.error is None else self.error.message


def bound_of(request: ChatRequest) -> int:
    """The most output tokens that `request` asks for."""
    bounds = (request.parameters.get(name) for name in ("max_tokens", "max_completion_tokens", "num_predict"))
    return next((bound for bound in bounds if isinstance(bound, int)), 0)


async def hear(ask: Ask, request: ChatRequest, *, cancel: bool = False) -> Heard:
    """The answer to `request`; with `cancel` it is left at its first piece. A failure is part of what is heard."""
    heard = Heard(request)
    try:
        async with aclosing(ask(request)) as events:
            async for event in events:
                heard.add(event)
                if cancel and heard.arrivals:
                    heard.cancelled = True
                    break
    except LlamaFarmError as error:
        heard.error = error
    if heard.ended is None:
        heard.ended = time.perf_counter()
    return heard
