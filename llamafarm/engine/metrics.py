"""What is measured in a lane, as pure functions of instants and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from llamafarm import tokens
from llamafarm.types import ChatRequest, Cost, Count, Timings, Usage

MIN_SPEED_SPAN_S = 0.2
MIN_SPEED_TOKENS = 8


@dataclass(slots=True)
class Instants:
    """When things happened in a lane, in seconds of `time.perf_counter()`; None has not happened."""

    started: float
    first_reasoning: float | None = None
    first_text: float | None = None
    last_content: float | None = None
    ended: float | None = None
    queue_s: float | None = None
    load_s: float | None = None

    @property
    def first_content(self) -> float | None:
        """The first token of any kind: the start of decoding."""
        seen = [at for at in (self.first_reasoning, self.first_text) if at is not None]
        return min(seen) if seen else None


def timings(instants: Instants, usage: Usage, *, now: float, partial: bool) -> Timings:
    """The spans of a lane until it ended, or until `now` while it goes on."""
    start = instants.started
    return Timings(
        queue_s=instants.queue_s,
        load_s=instants.load_s,
        ttfr_s=_since(start, instants.first_reasoning),
        ttft_s=_since(start, instants.first_text),
        total_s=_since(start, now if instants.ended is None else instants.ended),
        tokens_per_s=decode_speed(instants, usage),
        partial=partial,
    )


def decode_speed(instants: Instants, usage: Usage) -> float | None:
    """Output tokens per second while decoding: (tokens - 1) / (last token - first token).

    None where it would rest on less than 200 ms or fewer than 8 tokens. Reasoning that the server counts
    but does not show was generated before the first token that was seen, so it is left out.
    """
    first, last = instants.first_content, instants.last_content
    if first is None or last is None or usage.output is None:
        return None
    shown = usage.output.value
    if instants.first_reasoning is None and usage.reasoning is not None:
        shown -= usage.reasoning.value
    if last - first < MIN_SPEED_SPAN_S or shown < MIN_SPEED_TOKENS:
        return None
    return (shown - 1) / (last - first)


def estimated_usage(request: ChatRequest, text: str, reasoning: str) -> Usage:
    """Token counts guessed from the texts, marked as estimated; with pictures the input can't be guessed."""
    thought = tokens.estimate(reasoning)
    seen = any(message.images for message in request.messages)
    return Usage(
        input=None if seen else Count(tokens.estimate_messages(request.messages), "estimated"),
        output=Count(tokens.estimate(text) + thought, "estimated"),
        reasoning=Count(thought, "estimated") if reasoning else None,
    )


def complete_usage(reported: Usage, guess: Usage) -> Usage:
    """What the server reported, with what it left out filled in from `guess`."""
    return Usage(
        input=reported.input or guess.input,
        output=reported.output or guess.output,
        reasoning=reported.reasoning or guess.reasoning,
        cached=reported.cached,
    )


def with_lost(cost: Cost, lost: Sequence[Cost]) -> Cost:
    """`cost` and that of the tries before it which failed but reported usage; unknown as soon as one of them is."""
    known = [each.usd for each in (cost, *lost) if each.usd is not None]
    if len(known) <= len(lost):
        return Cost(None, "unknown", detail=f"{cost.detail} What a failed try before it cost is not known.".strip())
    extra = sum(known[1:], Decimal(0))
    estimated = cost.estimated or any(each.estimated for each in lost)
    detail = f"{cost.detail} With ${extra} for tries that failed before it.".strip()
    return replace(cost, usd=known[0] + extra, detail=detail, estimated=estimated)


def _since(start: float, at: float | None) -> float | None:
    return None if at is None else at - start
