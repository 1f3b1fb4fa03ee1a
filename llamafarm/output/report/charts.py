"""How long the bars of the report's pictures are, and where their dots stand, in per cent of their place. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.output.report.figures import CALLS, Figures
from llamafarm.output.report.verdicts import qualities_of

WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart: `fill` is its length; `low` and `high` are the ends of its interval, `mark` a dot."""

    label: str
    text: str
    fill: float
    low: float | None = None
    high: float | None = None
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars with what it shows."""

    title: str
    note: str
    bars: tuple[Bar, ...]


def charts(models: Sequence[Figures]) -> list[Chart]:
    """Quality, speed and cost by model; what nothing is known of is left out."""
    found = (_quality(models), _speed(models), _cost(models))
    return [chart for chart in found if chart is not None and chart.bars]


def _quality(models: Sequence[Figures]) -> Chart | None:
    qualities = qualities_of(models)
    if not qualities:
        return None
    quality = qualities[0]
    bars = tuple(
        Bar(
            each.name,
            display.interval(found, display.percent),
            found.value * WHOLE,
            _share(found.low),
            _share(found.high),
        )
        for each in models
        if (found := quality.of(each)) is not None
    )
    return Chart(f"Quality: {quality.words}", "The thin line is the 95 % interval.", bars)


def _share(value: float | None) -> float | None:
    return None if value is None else value * WHOLE


def _speed(models: Sequence[Figures]) -> Chart:
    known = [(each.name, found) for each in models if (found := each.ttft) is not None]
    most = max((found.p95 or found.median.value for _, found in known), default=0.0) or 1.0
    bars = tuple(
        Bar(
            name,
            display.seconds(found.median.value) + (f"; p95 {display.seconds(found.p95)}" if found.p95 else ""),
            found.median.value / most * WHOLE,
            None if found.median.low is None else found.median.low / most * WHOLE,
            None if found.median.high is None else found.median.high / most * WHOLE,
            None if found.p95 is None else found.p95 / most * WHOLE,
        )
        for name, found in known
    )
    return Chart("Time to the first word (TTFT)", "Bar: median, with its 95 % interval. Dot: 95th percentile.", bars)


def _cost(models: Sequence[Figures]) -> Chart | None:
    known = [(each, float(usd)) for each in models if (usd := each.at_calls) is not None]
    most = max((usd for _, usd in known), default=0.0)
    if not most:
        return None
    bars = tuple(
        Bar(
            each.name,
            "free" if each.free else display.usd(each.at_calls, estimated=each.paid.estimated),
            usd / most * WHOLE,
        )
        for each, usd in known
    )
    missing = [each.name for each in models if each.at_calls is None and each.tally.answered]
    note = f"Not known for {', '.join(missing)}." if missing else "US dollars, at these calls' mean."
    return Chart(f"Cost of {CALLS:,} calls", note, bars)
