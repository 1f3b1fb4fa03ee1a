"""How the answers of a sweep's cells agree, differ and pass: rows of shares, the darker the higher. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.summary import Summary

SHARES: tuple[tuple[str, Callable[[Summary], Estimate | None]], ...] = (
    ("Checks passed", lambda cell: cell.validity),
    ("Judge's score", lambda cell: cell.score),
    ("Agreement", lambda cell: cell.agreement),
    ("Similarity", lambda cell: cell.similarity),
    ("Distinct-1", lambda cell: cell.distinct1),
    ("Distinct-2", lambda cell: cell.distinct2),
)


@dataclass(frozen=True, slots=True)
class Heat:
    """One measure of one model; `cells` are the figure, its interval, and its way from least (0) to most (1)."""

    model: str
    measure: str
    cells: tuple[tuple[str, str, float], ...]


def heat(models: Iterable[str], values: int, cells: Mapping[tuple[str, int], Summary]) -> list[Heat]:
    """A row for each measure of each model of which anything is known."""
    rows = []
    for model in models:
        own = [cells.get((model, at)) for at in range(values)]
        for name, of in SHARES:
            found = [None if cell is None else of(cell) for cell in own]
            if any(each is not None for each in found):
                rows.append(Heat(model, name, _warmth(found)))
    return rows


def _warmth(found: Sequence[Estimate | None]) -> tuple[tuple[str, str, float], ...]:
    known = [each.value for each in found if each is not None]
    low, spread = min(known), max(known) - min(known)
    return tuple(
        (display.NOTHING, "", 0.0)
        if each is None
        else (f"{each.value:.2f}", _range(each), (each.value - low) / spread if spread else 0.0)
        for each in found
    )


def _range(found: Estimate) -> str:
    return "" if found.low is None or found.high is None else f"[{found.low:.2f}, {found.high:.2f}]"
