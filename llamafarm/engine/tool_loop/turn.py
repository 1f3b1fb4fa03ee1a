"""One turn of a model's answer, as far as it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from io import StringIO

from llamafarm.core.events import Relayed
from llamafarm.core.tokens import Growing
from llamafarm.core.types import ChatRequest, Cost, Count, SentRequest, ToolCall, Usage
from llamafarm.engine.fold.metrics import (
    MIN_SPEED_SPAN_S,
    Decoding,
    complete_usage,
    estimated_calls,
    estimated_input,
    estimated_usage,
)

Price = Callable[[str, Usage, Decimal | None], Cost]


@dataclass(slots=True)
class Turn:
    """What has come of one turn: all of the answer, where the model asks for no tools.

    A reply is asked for many times, so what was guessed is kept: `given`, the size of the request, once it has been
    `guessed`, and `said` and `thought`, those of the text and the reasoning. So is what it costs.
    """

    request: ChatRequest | None = None
    text: StringIO = field(default_factory=StringIO)
    reasoning: StringIO = field(default_factory=StringIO)
    calls: list[ToolCall] = field(default_factory=list)
    decoding: Decoding = field(default_factory=Decoding)
    told: Usage = field(default_factory=Usage)
    usd: Decimal | None = None
    relayed: Relayed | None = None
    sent: SentRequest | None = None
    sent_at: float = 0.0
    begun: bool = False
    given: Count | None = None
    guessed: bool = False
    said: Growing = field(default_factory=Growing)
    thought: Growing = field(default_factory=Growing)
    priced: tuple[object, Cost] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing of it can be counted or paid for."""
        return not self.begun and self.told == Usage() and self.usd is None

    def reclassify(self) -> None:
        """All text so far was reasoning."""
        self.reasoning.write(self.text.getvalue())
        self.text = StringIO()
        self.said, self.thought = Growing(), Growing()
        if self.decoding.first_reasoning is None:
            self.decoding.first_reasoning = self.decoding.first

    def usage(self, *, ended: bool) -> Usage:
        """The tokens as the server told them, with what it left out estimated once there is an answer."""
        told = self.told
        if self.request is None or not (self.begun or ended):
            return told
        reasoning = self.reasoning.getvalue()
        if told.input and told.output and (told.reasoning or not reasoning):
            return told
        if told.input is None and not self.guessed:
            self.given, self.guessed = estimated_input(self.request), True
        thought = self.thought.estimate(reasoning) if reasoning else None
        said = self.said.estimate(self.text.getvalue())
        return complete_usage(told, estimated_usage(self.given, said, thought, self.calls))

    def paced(self, usage: Usage) -> tuple[Decoding, Usage]:
        """When its tokens came and how many; with what was seen of them, where a speed rests on the server's count."""
        output = usage.output
        if output is None or output.source == "estimated" or self.decoding.span_s < MIN_SPEED_SPAN_S:
            return self.decoding, usage
        seen = self.said.estimate(self.text.getvalue()) + self.thought.estimate(self.reasoning.getvalue())
        return replace(self.decoding, seen=seen + estimated_calls(self.calls)), usage

    def cost(self, usage: Usage, model: str, price: Price) -> Cost:
        """What `usage` of the named model costs, asked anew only where something of it has changed."""
        asked = (usage, self.usd, model)
        if self.priced is None or self.priced[0] != asked:
            self.priced = (asked, price(model, usage, self.usd))
        return self.priced[1]
