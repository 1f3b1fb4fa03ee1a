"""What a sweep found, as the page shows it: a heat map, curves, the different answers, recommendations. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from llamafarm.core import display
from llamafarm.core.characters import for_consent
from llamafarm.core.figures import Money, Progress
from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.stats.summary import Summary
from llamafarm.experiments.sweep.findings import Cell, timing_notes
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.plan import Plan
from llamafarm.experiments.sweep.sweep import Result
from llamafarm.output.measures import AGREEMENT, DIVERSITY, HEIGHT, LEFT, WIDTH, Curve, Heat, Line, curves, heat
from llamafarm.ui.parts.markup import Markup, join, tag

ANSWERS = 8
LETTERS = 400


def plan_view(plan: Plan) -> Markup:
    """What a sweep will take."""
    judging = f" and {plan.judge_calls:,} of the judge" if plan.judge_calls else ""
    made = "unknown (no max_tokens)" if plan.output_tokens is None else f"at most {plan.output_tokens:,}"
    cost = display.most(plan.usd, plan.unpriced)
    words = f"{plan.calls:,} calls{judging} · ~{plan.input_tokens:,} tokens in, {made} out · cost {cost}"
    notes = (tag("li", note) for note in plan.notes)
    expected = plan.expected
    words_of_time = (
        "The time is unknown before the first answers."
        if expected is None
        else f"It takes {display.about(expected.seconds, expected.answers)}."
    )
    time = tag("li", words_of_time)
    return tag("div", tag("p", words), tag("ul", time, *notes), class_="lf-card lf-plan")


def progress_view(grid: Grid, progress: Progress, newest: Sequence[Result]) -> Markup:
    """How far a sweep is, and its newest answers."""
    bar = tag("progress", value=str(progress.done), max=str(progress.total), aria_label="Calls that have ended")
    return tag(
        "div",
        bar,
        tag("p", display.progress(progress)),
        *(_newest(grid, each) for each in newest),
        class_="lf-progress",
    )


def _newest(grid: Grid, result: Result) -> Markup:
    call, reply = result.call, result.sample.reply
    said = reply.text if reply.failure is None else reply.failure.message
    head = tag("b", f"{call.model} · {grid.parameter} {display.setting(grid.values[call.value])}: ")
    return tag("p", head, said[:LETTERS], class_="lf-newest")


def findings_view(grid: Grid, cells: Mapping[Cell, Summary], found: Mapping[str, Recommendation]) -> Markup:
    """Everything that a sweep found."""
    if not cells:
        return Markup("")
    models = [model.name for model in grid.models if any(cell[0] == model.name for cell in cells)]
    return tag(
        "div",
        *(recommendation_view(grid.parameter, model, found[model]) for model in models if model in found),
        heat_map(grid, cells, models),
        *(_curve(grid.parameter, each) for each in curves(models, grid.values, cells, (AGREEMENT, DIVERSITY))),
        *(_answers(grid, cells, model) for model in models),
        class_="lf-lab",
    )


def recommendation_view(parameter: str, model: str, found: Recommendation) -> Markup:
    """A recommendation with its figure and its certainty."""
    if found.value is None:
        return tag("p", tag("b", f"{model}: no recommendation. "), found.why, class_="lf-card lf-recommended")
    said = f"{model}: {parameter} {found.value:g}, {found.measure} {display.interval(found.figure, display.share)}. "
    return tag("p", tag("b", said), found.why, class_=f"lf-card lf-recommended lf-{found.certainty}")


def _money(found: Money | None) -> str | None:
    return None if found is None else display.money(found)


SUMS: tuple[tuple[str, Callable[[Summary], str | None]], ...] = (
    ("Answers", lambda cell: f"{cell.answered} of {cell.asked}"),
    ("Cost", lambda cell: _money(cell.cost)),
    ("Judge's cost", lambda cell: _money(cell.judge_cost)),
    ("Warming's cost", lambda cell: _money(cell.warmups)),
)


def heat_map(grid: Grid, cells: Mapping[Cell, Summary], models: Sequence[str]) -> Markup:
    """A table: by measure a row for each model, a column for each value; the darker, the higher in its measure."""
    head = tag(
        "tr", *(tag("th", name, scope="col") for name in ("Measure", "Model", *map(display.setting, grid.values)))
    )
    measured = {model: [cells.get((model, at)) for at in range(len(grid.values))] for model in models}
    notes = (f" {note}" for note in timing_notes(cells.values()))
    caption = tag("caption", f"By {grid.parameter}; in brackets 95 % bootstrap intervals.", *notes)
    rows = [*_measures(heat(models, len(grid.values), cells)), *_sums(measured)]
    return tag("div", tag("table", caption, head, *rows, class_="lf-heat"), class_="lf-table-wrap")


Measured = Mapping[str, Sequence[Summary | None]]


def _measures(measured: Iterable[Heat]) -> Iterator[Markup]:
    for name, rows in groupby(measured, lambda row: row.measure):
        yield from _block(name, {row.model: [_heat(*cell) for cell in row.cells] for row in rows})


def _sums(measured: Measured) -> Iterator[Markup]:
    for title, told in SUMS:
        words = {model: [None if cell is None else told(cell) for cell in own] for model, own in measured.items()}
        if any(each is not None for own in words.values() for each in own):
            yield from _block(title, {model: [tag("td", each or "–") for each in own] for model, own in words.items()})


def _block(name: str, rows: Mapping[str, Sequence[Markup]]) -> Iterator[Markup]:
    """The rows of one measure under its name; a model that has nothing of it has a row all the same."""
    for at, (model, told) in enumerate(rows.items()):
        first = tag("th", name, scope="rowgroup", rowspan=str(len(rows))) if at == 0 else None
        yield tag("tr", first, tag("th", model, scope="row"), *told, class_="lf-first" if at == 0 else None)


def _heat(value: str, between: str, way: float) -> Markup:
    if value == display.NOTHING:
        return tag("td", value)
    interval = tag("span", between, class_="lf-between") if between else None
    return tag("td", f"{value} ", interval, style=f"--heat:{way * 45:.0f}%")


def _curve(parameter: str, found: Curve) -> Markup:
    """Agreement and diversity of a model over the values, with their intervals."""
    ticks = (tag("text", text, x=f"{x:.0f}", y=str(HEIGHT - 8)) for x, text in found.ticks)
    scale = (tag("text", text, x=str(LEFT // 2 - 3), y=f"{y + 4:.0f}") for y, text in found.scale)
    drawing = tag(
        "svg",
        *scale,
        *ticks,
        *map(_line, found.lines),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{found.model}: agreement and diversity over {parameter}; the figures are in the table",
    )
    key = (part for line in found.lines for part in (tag("i", class_=f"lf-{line.look}"), f"{line.name} "))
    return tag("figure", tag("figcaption", tag("b", found.model), " ", tag("span", *key)), drawing, class_="lf-curve")


def _line(line: Line) -> Markup:
    marks = (tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="3") for x, y, _, _ in line.points)
    bars = (
        tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=f"{low:.1f}", y2=f"{high:.1f}")
        for x, _, low, high in line.points
        if low is not None and high is not None
    )
    return tag("g", tag("polyline", points=line.way), *bars, *marks, class_=f"lf-{line.look}")


def _answers(grid: Grid, cells: Mapping[Cell, Summary], model: str) -> Markup:
    """The different answers to each prompt at each value, with how many gave them."""
    blocks = []
    for prompt, asked in enumerate(grid.prompts):
        columns = []
        for at, value in enumerate(grid.values):
            if (cell := cells.get((model, at))) is not None:
                group = cell.answers[prompt]
                items = (tag("li", f"{each.count} × {each.text[:LETTERS]}") for each in group[:ANSWERS])
                more = f"and {len(group) - ANSWERS} more" if len(group) > ANSWERS else None
                head = tag("b", f"{grid.parameter} {display.setting(value)}: {len(group)} different")
                columns.append(tag("div", head, tag("ol", *items), more))
        blocks.append(tag("section", tag("h4", asked.text[:LETTERS]), tag("div", *columns, class_="lf-multiples")))
    return tag("details", tag("summary", f"{model}: the answers"), join(*blocks), class_="lf-answers")


def patch_view(diff: str, why_not: str) -> Markup:
    """The change of the project file; `why_not` says why it can't be applied here, or why there is none."""
    if not diff:
        return tag("p", why_not) if why_not else Markup("")
    signs = {"+": "lf-added", "-": "lf-removed"}
    lines = (tag("span", for_consent(line), class_=signs.get(line[:1])) for line in diff.splitlines(keepends=True))
    return tag("div", tag("pre", *lines, class_="lf-diff"), tag("p", why_not) if why_not else None)
