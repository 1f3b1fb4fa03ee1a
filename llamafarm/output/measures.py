"""What a sweep's cells are measured by: as rows of figures, the darker the higher, and as curves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.core.figures import Estimate
from llamafarm.core.types import JsonValue
from llamafarm.experiments.stats.summary import Summary
from llamafarm.experiments.sweep.findings import Cell

Of = Callable[[Summary], Estimate | None]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 190, 38, 14, 12, 26


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a cell; `text` writes it. `look` names its line where it is drawn."""

    name: str
    of: Of
    text: Callable[[float], str] = display.share
    look: str = ""


VALIDITY = Measure("Checks passed", lambda cell: cell.validity, look="valid")
SCORE = Measure("Judge's score", lambda cell: cell.score, look="score")
AGREEMENT = Measure("Agreement", lambda cell: cell.agreement, look="agreement")
DIVERSITY = Measure("Diversity (distinct-2)", lambda cell: cell.distinct2, look="diversity")
SHARES = (
    VALIDITY,
    SCORE,
    AGREEMENT,
    Measure("Similarity", lambda cell: cell.similarity),
    Measure("Diversity (distinct-1)", lambda cell: cell.distinct1),
    DIVERSITY,
)
MEASURES = (
    *SHARES,
    Measure("Words", lambda cell: cell.length, lambda value: f"{value:.0f}"),
    Measure("TTFT", lambda cell: cell.ttft_s, display.seconds),
    Measure("Speed", lambda cell: cell.tokens_per_s, display.speed),
)


@dataclass(frozen=True, slots=True)
class Heat:
    """One measure of one model; `cells` are the figure, its interval, and its way from least (0) to most (1)."""

    measure: str
    model: str
    cells: tuple[tuple[str, str, float], ...]


def heat(
    models: Sequence[str], values: int, cells: Mapping[Cell, Summary], measures: Iterable[Measure] = MEASURES
) -> Iterator[Heat]:
    """A row for each model of each measure of which anything is known; all models of a measure are on one scale."""
    for measure in measures:
        own = {model: [_figure(measure, cells.get((model, at))) for at in range(values)] for model in models}
        known = [each.value for row in own.values() for each in row if each is not None]
        if known:
            low, spread = min(known), max(known) - min(known)
            for model, row in own.items():
                yield Heat(measure.name, model, tuple(_warm(measure, each, low, spread) for each in row))


def _figure(measure: Measure, cell: Summary | None) -> Estimate | None:
    return None if cell is None else measure.of(cell)


def _warm(measure: Measure, found: Estimate | None, low: float, spread: float) -> tuple[str, str, float]:
    if found is None:
        return display.NOTHING, "", 0.0
    way = (found.value - low) / spread if spread else 0.0
    return measure.text(found.value), display.bounds(found, measure.text), way


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


def curves(
    models: Iterable[str],
    values: Sequence[JsonValue],
    cells: Mapping[Cell, Summary],
    measures: Sequence[Measure] = (VALIDITY, SCORE, AGREEMENT, DIVERSITY),
) -> list[Curve]:
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
        lines = [_line(each, own) for each in measures]
        ticks = tuple((x(at), f"{places[at]:g}") for at in order)
        scale = tuple((_y(share), display.percent(share)) for share in (0.0, 0.5, 1.0))
        made.append(Curve(model, tuple(line for line in lines if line.points), ticks, scale))
    return [curve for curve in made if curve.lines]


def _line(measure: Measure, own: Iterable[tuple[float, Summary]]) -> Line:
    known = [(x, found) for x, cell in own if (found := measure.of(cell)) is not None]
    points = tuple((x, _y(each.value), _at(each.low), _at(each.high)) for x, each in known)
    return Line(measure.name, measure.look, points)


def _at(value: float | None) -> float | None:
    return None if value is None else _y(value)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
