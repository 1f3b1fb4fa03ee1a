"""What a sweep has found so far: its answers by cell, their measures, a recommendation for each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from llamafarm.core.figures import Estimate, Money
from llamafarm.core.types import JsonValue
from llamafarm.experiments.stats.guidelines import Aim
from llamafarm.experiments.stats.recommend import FLOOR, Recommendation, Tried, recommend
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.summary import Summary, summary
from llamafarm.experiments.stats.tally import all_cautions, count_notes, late_note
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.sweep import Result

Cell = tuple[str, int]  # a named model, and the number of a value


@dataclass(slots=True)
class Findings:
    """Gathers the results of a sweep."""

    grid: Grid
    samples: dict[Cell, list[Sample]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Take the next result."""
        self.samples.setdefault((result.call.model, result.call.value), []).append(result.sample)

    def cells(self) -> dict[Cell, Summary]:
        """The measures of every cell that has answers, in the grid's order. Blocks: for a thread."""
        prompts = len(self.grid.prompts)
        taken = {cell: tuple(samples) for cell, samples in list(self.samples.items())}
        order = ((model.name, value) for model in self.grid.models for value in range(len(self.grid.values)))
        return {cell: summary(taken[cell], prompts) for cell in order if cell in taken}


def recommendations(
    grid: Grid, cells: Mapping[Cell, Summary], aim: Aim, *, floor: float = FLOOR
) -> dict[str, Recommendation]:
    """For each model the value that meets `aim`; none at all where the values are no numbers."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in grid.values):
        return {}
    found = {}
    for model in grid.models:
        tried = [
            Tried(float(str(value)), cells[model.name, at])
            for at, value in enumerate(grid.values)
            if (model.name, at) in cells
        ]
        found[model.name] = recommend(tried, aim, floor=floor)
    return found


def changes_of(grid: Grid, found: Mapping[str, Recommendation]) -> dict[str, dict[str, int | float]]:
    """The parameters to write into a project file, by model: those that are recommended."""
    return {
        model: {grid.parameter: int(each.value) if each.value.is_integer() else each.value}
        for model, each in found.items()
        if each.value is not None
    }


def findings_json(
    grid: Grid, cells: Mapping[Cell, Summary], found: Mapping[str, Recommendation], at_once: int
) -> dict[str, JsonValue]:
    """The contract of `lf sweep --json`. Figures as {value, low, high, n} with 95 % intervals; null is unknown.

    `at_once`: so many calls could be at a server at a time; `shared` of a cell's answers had company there, and `cold`
    ones had their model loaded first; `waited` ones waited in their server's own queue, which is in no time here; of
    `late` ones the playground's own lateness makes the times doubtful, and of `doubted` calls the server counted what
    can't be. `cautions` are calls by kind. `retries` and `reconnects` are answers with such in them, and `lost_s` what
    that took. What warming models cost is in `warmups`, and in no other cost.
    """
    return {
        "parameter": grid.parameter,
        "values": list(grid.values),
        "models": [model.name for model in grid.models],
        "repeats": grid.repeats,
        "prompts": [prompt.text for prompt in grid.prompts],
        "parameters": dict(grid.parameters),
        "at_once": at_once,
        "seed": grid.seed,
        "without_seed": list(grid.seedless),
        "cells": [_cell(model, grid.values[value], measured) for (model, value), measured in cells.items()],
        "recommendations": {model: _recommendation(each) for model, each in found.items()},
    }


MEASURES = (
    "validity", "score", "agreement", "similarity", "distinct1", "distinct2", "length", "ttft_s", "tokens_per_s",
)  # fmt: skip


def _cell(model: str, value: JsonValue, found: Summary) -> dict[str, JsonValue]:
    return {
        "model": model,
        "value": value,
        "asked": found.asked,
        "answered": found.answered,
        "failed": found.failed,
        "cut": found.cut,
        "shared": found.shared,
        "cold": found.cold,
        "waited": found.waited,
        "late": found.late,
        "doubted": found.doubted,
        "cautions": dict(found.cautions),
        "retries": found.retried,
        "reconnects": found.reconnected,
        "lost_s": found.lost_s,
        "unchecked": found.unchecked,
        "unscored": found.unscored,
        **{name: _estimate(getattr(found, name)) for name in MEASURES},
        "cost": _money(found.cost),
        "judge_cost": _money(found.judge_cost),
        "warmups": _money(found.warmups),
        "answers": [[{"text": each.text, "count": each.count} for each in group] for group in found.answers],
    }


def _estimate(found: Estimate | None) -> JsonValue:
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def _money(found: Money | None) -> JsonValue:
    if found is None:
        return None
    usd = None if found.usd is None else float(found.usd)
    return {"usd": usd, "unknown": found.unknown, "estimated": found.estimated, "free": found.free}


def _recommendation(found: Recommendation) -> JsonValue:
    return {
        "certainty": found.certainty,
        "value": found.value,
        "measure": found.measure,
        "figure": _estimate(found.figure),
        "rivals": list(found.rivals),
        "why": found.why,
    }


def timing_notes(cells: Iterable[Summary]) -> Iterator[str]:
    """What must be known before times are compared, in sentences."""
    cells = list(cells)
    answered = sum(cell.answered for cell in cells)
    if shared := sum(cell.shared for cell in cells):
        yield (
            f"{shared:,} of {answered:,} answers shared a server with other requests: "
            "one at a time, warmed, gives times that may be compared."
        )
    if cold := sum(cell.cold for cell in cells):
        yield f"{cold:,} of {answered:,} answers had their model loaded first: their TTFT is in no median."
    cautions = all_cautions(cell.cautions for cell in cells)
    yield from count_notes(sum(cell.waited for cell in cells), sum(cell.doubted for cell in cells), cautions)
    if told := late_note(sum(cell.late for cell in cells), answered):
        yield told
    if retried := sum(cell.retried for cell in cells):
        yield f"{retried:,} of {answered:,} answers came after a failed try: their times are in no median."
    if again := sum(cell.reconnected for cell in cells):
        yield (
            f"{again:,} of {answered:,} answers were asked again on a new connection, because a kept one was closed: "
            "what that took is in no median."
        )
