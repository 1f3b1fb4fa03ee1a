"""Where the bars, dots and lines of the report's pictures stand, in per cent of their place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.core.figures import Estimate
from llamafarm.core.types import JsonValue
from llamafarm.experiments.stats.summary import Summary
from llamafarm.output.report.figures import CALLS, Figures
from llamafarm.output.report.sentences import percent
from llamafarm.output.report.verdicts import qualities_of

WHOLE = 100.0
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 190, 38, 14, 12, 26


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


@dataclass(frozen=True, slots=True)
class Line:
    """A measure over the values of a parameter: points as (x, y, low, high) in the picture's own units."""

    name: str
    look: str
    points: tuple[tuple[float, float, float | None, float | None], ...]

    @property
    def way(self) -> str:
        """The points as SVG wants them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in self.points)


@dataclass(frozen=True, slots=True)
class Curve:
    """The lines of one model; `ticks` are (x, text) below, `scale` (y, text) beside."""

    model: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    scale: tuple[tuple[float, str], ...]


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
        Bar(each.name, display.interval(found, percent), found.value * WHOLE, _share(found.low), _share(found.high))
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


MEASURES: tuple[tuple[str, str, Callable[[Summary], Estimate | None]], ...] = (
    ("checks passed", "valid", lambda cell: cell.validity),
    ("judge's score", "score", lambda cell: cell.score),
    ("agreement", "agreement", lambda cell: cell.agreement),
    ("diversity (distinct-2)", "diversity", lambda cell: cell.distinct2),
)


def curves(models: Iterable[str], values: Sequence[JsonValue], cells: Mapping[tuple[str, int], Summary]) -> list[Curve]:
    """Shares over the values of a sweep, a picture a model; none where the values are no numbers."""
    places = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(places) != len(values) or len(places) < 2:  # noqa: PLR2004 - a line has two ends
        return []
    low, high = min(places), max(places)
    order = sorted(range(len(places)), key=places.__getitem__)

    def x(at: int) -> float:
        return LEFT + (places[at] - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    made = []
    for model in models:
        own = [(x(at), cells[model, at]) for at in order if (model, at) in cells]
        lines = [_line(name, look, own, of) for name, look, of in MEASURES]
        ticks = tuple((x(at), f"{places[at]:g}") for at in order)
        scale = tuple((_y(share), percent(share)) for share in (0.0, 0.5, 1.0))
        made.append(Curve(model, tuple(line for line in lines if line.points), ticks, scale))
    return [curve for curve in made if curve.lines]


def _line(name: str, look: str, own: Iterable[tuple[float, Summary]], of: Callable[[Summary], Estimate | None]) -> Line:
    known = [(x, found) for x, cell in own if (found := of(cell)) is not None]
    return Line(name, look, tuple((x, _y(each.value), _at(each.low), _at(each.high)) for x, each in known))


def _at(value: float | None) -> float | None:
    return None if value is None else _y(value)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
