"""A lane's time as one bar: waiting, loading, thinking, tools, streaming, all lanes on one scale. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.core import display
from llamafarm.core.reply import Reply
from llamafarm.core.types import Timings
from llamafarm.ui.parts.markup import Markup, tag

LEAST_SHARE = 0.4  # percent of the bar under which a part can't be seen


def spans_of(spans: Timings) -> list[tuple[str, float]]:
    """The parts of a lane's time in seconds, in the order in which they are drawn; only what is measured."""
    total = spans.total_s
    if total is None:
        return []
    first = min(value for value in (spans.ttfr_s, spans.ttft_s, total) if value is not None)
    loading = min(spans.load_s or 0.0, first)
    thinking = 0.0 if spans.ttfr_s is None else max((spans.ttft_s or total) - spans.ttfr_s, 0.0)
    tools = min((spans.tools_s or 0.0) + (spans.held_s or 0.0), total)
    streaming = 0.0 if spans.ttft_s is None else max(total - spans.ttft_s, 0.0)
    # Tools ran before, between or after the words: their time is taken from where it was counted.
    waiting, streaming = _without(tools, first - loading, streaming)
    parts = [("waiting", waiting), ("loading", loading), ("thinking", thinking), ("tools", tools)]
    return [(name, span) for name, span in [*parts, ("streaming", streaming)] if span > 0]


def _without(tools: float, waiting: float, streaming: float) -> tuple[float, float]:
    within = min(tools, streaming)
    return max(waiting - (tools - within), 0.0), streaming - within


def scale_of(replies: Sequence[Reply]) -> float:
    """Seconds of the whole width: the longest lane's."""
    return max((reply.timings.total_s or 0.0 for reply in replies), default=0.0)


def timeline(reply: Reply, scale_s: float) -> Markup:
    """The bar of a lane; `scale_s` seconds are its whole width."""
    parts = spans_of(reply.timings) if scale_s > 0 else []
    bars = [tag("i", class_=f"lf-{name}", style=f"width:{_percent(span, scale_s)}") for name, span in parts]
    told = ", ".join(f"{name} {display.seconds(span)}" for name, span in parts)
    return tag(
        "div", *bars, class_="lf-timeline", role="img", title=told or None,
        aria_label=f"Time line: {told}" if told else "Time line: nothing measured yet",
    )  # fmt: skip


def _percent(span: float, scale_s: float) -> str:
    return f"{max(100 * span / scale_s, LEAST_SHARE):.1f}%"
