"""What a report says of a sweep beyond its models: each value, how the answers agree and differ, and what to set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.summary import Summary, summary
from llamafarm.experiments.stats.text import normalised
from llamafarm.experiments.sweep.findings import Cell, recommendations
from llamafarm.output.measures import SHARES, Curve, Heat, curves, heat
from llamafarm.output.report.collect import Collected
from llamafarm.output.report.examples import Examples, cut
from llamafarm.output.report.grids import Places
from llamafarm.output.report.tables import Table, tables

ANSWERS, PROMPTS, LETTERS = 3, 6, 160


@dataclass(frozen=True, slots=True)
class Group:
    """The most common answers of a model to a prompt at one value: how many gave each, and how many there are."""

    value: str
    answers: tuple[tuple[int, str], ...]
    different: int


@dataclass(frozen=True, slots=True)
class Replies:
    """The answers of a model to one prompt, value by value."""

    model: str
    prompt: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """`recommended` are (model, certainty, sentence)."""

    parameter: str
    values: tuple[str, ...]
    recommended: tuple[tuple[str, str, str], ...]
    aim: str
    heat: tuple[Heat, ...]
    curves: tuple[Curve, ...]
    tables: tuple[Table, ...]
    replies: tuple[Replies, ...]
    more_prompts: int
    examples: Examples


def swept(whole: Collected) -> Swept:
    """All of it. Takes a while: for a thread. Raises AssertionError where it is no sweep."""
    places = whole.places
    assert places is not None  # noqa: S101 - the caller's promise
    grid, cells = places.grid, _cells(whole, places)
    models = [model.name for model in grid.models if any(name == model.name for name, _ in cells)]
    found = recommendations(grid, cells, places.aim) if places.aim else {}
    values = tuple(display.setting(value) for value in grid.values)
    named = [((model, values[at]), whole.cells[model, at]) for model, at in cells]
    return Swept(
        parameter=grid.parameter,
        values=values,
        recommended=tuple((model, each.certainty, _sentence(grid.parameter, each)) for model, each in found.items()),
        aim=places.task.task if places.task else "",
        heat=tuple(heat(models, len(values), cells, SHARES)),
        curves=tuple(curves(models, grid.values, cells)),
        tables=tuple(tables(named, ("Model", grid.parameter))),
        replies=tuple(_replies(places, cells, models, values)),
        more_prompts=max(len(grid.prompts) - PROMPTS, 0),
        examples=_examples(whole, places),
    )


def _cells(whole: Collected, places: Places) -> dict[Cell, Summary]:
    grouped: dict[Cell, list[Sample]] = {}
    for item, sample in whole.samples.items():
        if (call := places.call(item)) is not None:
            grouped.setdefault((call.model, call.value), []).append(sample)
    order = [(model.name, at) for model in places.grid.models for at in range(len(places.grid.values))]
    return {cell: summary(grouped[cell], len(places.grid.prompts)) for cell in order if cell in grouped}


def _sentence(parameter: str, found: Recommendation) -> str:
    if found.value is None:
        return f"No recommendation. {found.why}"
    figure = display.interval(found.figure, display.share)
    return f"Set {parameter} to {found.value:g}: {found.measure} {figure}. {found.why}"


def _replies(places: Places, cells: dict[Cell, Summary], models: list[str], values: tuple[str, ...]) -> list[Replies]:
    found = []
    for model in models:
        for at, prompt in enumerate(places.grid.prompts[:PROMPTS]):
            known = [value for value in range(len(values)) if (model, value) in cells]
            own = [(values[value], cells[model, value].answers[at]) for value in known]
            groups = tuple(
                Group(value, tuple((each.count, cut(each.text, LETTERS)) for each in group[:ANSWERS]), len(group))
                for value, group in own
            )
            found.append(Replies(model, cut(prompt.text, LETTERS), groups))
    return found


def _examples(whole: Collected, places: Places) -> Examples:
    """The best and the worst by judge, checks, and how many of the repeats answered alike."""
    alike: dict[tuple[str, int, int], Counter[str]] = {}
    calls = [(call, sample) for item, sample in whole.samples.items() if (call := places.call(item)) is not None]
    for call, sample in calls:
        if sample.answered:
            alike.setdefault((call.model, call.value, call.prompt), Counter())[normalised(sample.reply.text)] += 1
    examples = Examples()
    for call, sample in calls:
        same = alike.get((call.model, call.value, call.prompt), Counter())
        share = same[normalised(sample.reply.text)] / same.total() if same.total() > 1 else None
        where = f"{places.grid.parameter} {display.setting(places.grid.values[call.value])}, repeat {call.repeat + 1}"
        examples.add(sample, places.grid.prompts[call.prompt].text, where, agreeing=share)
    return examples
