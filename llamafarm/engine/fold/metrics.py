"""What is measured in a lane, as pure functions of instants and counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from llamafarm.core import tokens
from llamafarm.core.types import ChatRequest, Cost, CostSource, Count, Timings, ToolCall, Usage

MIN_SPEED_SPAN_S = 0.2
MIN_SPEED_TOKENS = 8
LUMP = 4  # estimated tokens that come at one instant: fewer are a token or two
BELIEVED = 3  # times as many tokens as the text is estimated at
BESIDE = 16  # tokens that are no text: tags, ends
CERTAINTY: tuple[CostSource, ...] = ("reported", "free", "config", "table", "unknown")  # surest first


@dataclass(slots=True)
class Instants:
    """When things happened in a lane, in seconds of `time.perf_counter()`; None has not happened."""

    started: float
    first_reasoning: float | None = None
    first_text: float | None = None
    ended: float | None = None
    queue_s: float | None = None
    load_s: float | None = None
    server_queue_s: float | None = None
    lag_s: float | None = None
    ttft_lag_s: float | None = None
    upstream_lag_s: float = 0.0
    upstream_ttft_lag_s: float = 0.0

    def lagged(self, seconds: float) -> None:
        """The event loop was late by so much since the start."""
        self.lag_s = max(self.lag_s or 0.0, seconds)
        if self.first_text is None:
            self.ttft_lag_s = self.lag_s

    def upstream(self, lag_s: float, ttft_lag_s: float, *, shown: bool) -> None:
        """The server that relays the answer was late too, as it tells: one comes upon the other."""
        self.upstream_lag_s = max(self.upstream_lag_s, lag_s)
        if not shown:
            self.upstream_ttft_lag_s = max(self.upstream_ttft_lag_s, ttft_lag_s)


@dataclass(slots=True)
class Decoding:
    """When the tokens of one turn came: the first, the last, and the first of shown reasoning.

    What is held back counts too: it took its time. `lump` is about how many tokens came at the first instant, and
    `seen` how many in all, None where that does not matter.
    """

    first: float | None = None
    last: float | None = None
    first_reasoning: float | None = None
    lump: int = 0
    seen: int | None = None

    def came(self, at: float, text: str = "", *, reasoning: bool = False) -> None:
        """A piece of the answer came; `text` is empty where it is held back."""
        if self.first is None or at == self.first:
            self.first = at
            self.lump += tokens.estimate(text)
        self.last = at
        if reasoning and self.first_reasoning is None:
            self.first_reasoning = at

    @property
    def span_s(self) -> float:
        """From the first to the last."""
        return 0.0 if self.first is None or self.last is None else self.last - self.first


def timings(
    instants: Instants,
    turns: Iterable[tuple[Decoding, Usage]],
    tools: tuple[float | None, float | None] = (None, None),
    lost: tuple[float | None, float | None] = (None, None),
    *,
    now: float,
    partial: bool,
) -> Timings:
    """The spans of a lane until it ended, or until `now` while it goes on; `turns` as `decode_speed` takes them.

    `tools` are the seconds that tools ran and that their calls waited for a person's word; `lost` those that went to
    failed tries and closed connections, in all and before visible text.
    """
    start, queued = instants.started, instants.server_queue_s
    if queued is not None and instants.first_text is not None and queued > instants.first_text - start:
        queued = None  # it can't have been before the first token
    return Timings(
        queue_s=instants.queue_s,
        load_s=instants.load_s,
        server_queue_s=queued,
        ttfr_s=_since(start, instants.first_reasoning),
        ttft_s=_since(start, instants.first_text),
        total_s=_since(start, now if instants.ended is None else instants.ended),
        tokens_per_s=decode_speed(turns),
        partial=partial,
        tools_s=tools[0],
        held_s=tools[1],
        lost_s=lost[0],
        ttft_lost_s=lost[1],
        lag_s=_with(instants.lag_s, instants.upstream_lag_s),
        ttft_lag_s=_with(instants.ttft_lag_s, instants.upstream_ttft_lag_s),
    )


def decode_speed(turns: Iterable[tuple[Decoding, Usage]]) -> float | None:
    """Output tokens per second while decoding: (tokens - 1) / (last token - first token), over all turns together.

    None where it would rest on less than 200 ms or fewer than 8 tokens. Tokens without their time are left out:
    reasoning that the server counts but does not show, which was generated before the first token that was seen; and
    what came in one lump at the first instant. So is a turn that came all at once, and one whose tokens are far more
    than what was seen of it.
    """
    span, shown, gaps = 0.0, 0, 0
    for decoding, usage in turns:
        if usage.output is None or decoding.span_s <= 0:
            continue
        hidden = usage.reasoning.value if usage.reasoning and decoding.first_reasoning is None else 0
        made = usage.output.value - hidden
        if decoding.seen is not None and made > BELIEVED * decoding.seen + BESIDE:
            continue
        lump = decoding.lump if decoding.lump >= LUMP else 1
        span, shown, gaps = span + decoding.span_s, shown + made, gaps + max(made - lump, 0)
    if span < MIN_SPEED_SPAN_S or shown < MIN_SPEED_TOKENS or gaps < MIN_SPEED_TOKENS - 1:
        return None
    return gaps / span


def estimated_input(request: ChatRequest) -> Count | None:
    """The tokens of a request guessed from its messages and tools; with pictures they can't be guessed."""
    if any(message.images for message in request.messages):
        return None
    given = tokens.estimate_messages(request.messages) + sum(tokens.estimate(json.dumps(t)) for t in request.tools)
    given += sum(estimated_calls(message.tool_calls) for message in request.messages)
    return Count(given, "estimated")


def estimated_usage(given: Count | None, said: int, thought: int | None, calls: Iterable[ToolCall] = ()) -> Usage:
    """Token counts of an answer, marked as estimated: those guessed of its request, text, reasoning and calls."""
    return Usage(
        input=given,
        output=Count(said + estimated_calls(calls) + (thought or 0), "estimated"),
        reasoning=None if thought is None else Count(thought, "estimated"),
    )


def complete_usage(reported: Usage, guess: Usage) -> Usage:
    """What the server reported, with what it left out filled in from `guess`."""
    output, reasoning = reported.output or guess.output, reported.reasoning or guess.reasoning
    if output and reasoning and reasoning.value > output.value:
        reasoning = Count(output.value, reasoning.source)
    return Usage(
        input=reported.input or guess.input,
        output=output,
        reasoning=reasoning,
        cached=reported.cached,
        doubts=reported.doubts,
        written=reported.written,
        written_1h=reported.written_1h,
    )


def all_usage(turns: Sequence[Usage]) -> Usage:
    """The tokens of all turns; input and output are unknown as soon as those of one turn are."""
    if len(turns) == 1:
        return turns[0]
    return Usage(
        input=_sum([turn.input for turn in turns], whole=True),
        output=_sum([turn.output for turn in turns], whole=True),
        reasoning=_sum([turn.reasoning for turn in turns], whole=False),
        cached=_sum([turn.cached for turn in turns], whole=False),
        doubts=tuple(dict.fromkeys(doubt for turn in turns for doubt in turn.doubts)),
        written=_sum([turn.written for turn in turns], whole=False),
        written_1h=_sum([turn.written_1h for turn in turns], whole=False),
    )


def all_cost(turns: Sequence[Cost]) -> Cost:
    """The cost of all turns, as sure as the least sure of them."""
    if len(turns) == 1:
        return turns[0]
    weakest = max(turns, key=lambda cost: CERTAINTY.index(cost.source))
    known = [cost.usd for cost in turns if cost.usd is not None]
    return replace(
        weakest,
        usd=sum(known, Decimal(0)) if len(known) == len(turns) else None,
        detail=f"{weakest.detail} Over {len(turns)} turns.".strip(),
        estimated=any(cost.estimated for cost in turns),
    )


def _sum(counts: Sequence[Count | None], *, whole: bool) -> Count | None:
    known = [count for count in counts if count is not None]
    if not known or (whole and len(known) < len(counts)):
        return None
    estimated = any(count.source == "estimated" for count in known)
    return Count(sum(count.value for count in known), "estimated" if estimated else "reported")


def estimated_calls(calls: Iterable[ToolCall]) -> int:
    """About how many tokens calls of tools are."""
    return sum(tokens.estimate(call.name) + tokens.estimate(call.arguments) for call in calls)


def with_lost(cost: Cost, lost: Sequence[Cost]) -> Cost:
    """`cost` and that of the tries before it which failed but reported usage; unknown as soon as one of them is."""
    known = [each.usd for each in (cost, *lost) if each.usd is not None]
    if len(known) <= len(lost):
        return Cost(None, "unknown", detail=f"{cost.detail} What a failed try before it cost is not known.".strip())
    extra = sum(known[1:], Decimal(0))
    estimated = cost.estimated or any(each.estimated for each in lost)
    detail = f"{cost.detail} With ${extra} for tries that failed before it.".strip()
    return replace(cost, usd=known[0] + extra, detail=detail, estimated=estimated)


def _with(own_s: float | None, upstream_s: float) -> float | None:
    return (own_s or 0.0) + upstream_s if upstream_s else own_s


def _since(start: float, at: float | None) -> float | None:
    return None if at is None else at - start
