"""A batch as the page shows it: the file, how far it is, what each model came to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from llamafarm.core import display
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.experiments.batch.job import Survey, rows_told
from llamafarm.experiments.prompt_file.row import Row
from llamafarm.experiments.stats.tally import Tally
from llamafarm.history.model import Run
from llamafarm.output.batch_table import figures_of, notes
from llamafarm.output.tables import writable
from llamafarm.ui.lab.view import plan_view
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.report_link import report_link

LETTERS = 300
DOWNLOADS = "batches"  # the path of the answers as files


def chosen_view(name: str, size: int) -> Markup:
    """The file that was chosen."""
    return tag("span", f"{name} · {-(-size // 1024):,} kB", class_="lf-chip")


def survey_view(survey: Survey) -> Markup:
    """What the file holds, and what asking it will take."""
    checks = f", {survey.checked:,} with checks" if survey.checked else ""
    return join(tag("p", f"{rows_told(survey.good)}{checks}.", class_="lf-rows"), plan_view(survey.plan))


def batch_progress(progress: Progress, newest: Iterable[tuple[Row, Reply]]) -> Markup:
    """How far a batch is, and its newest answers."""
    bar = tag("progress", value=str(progress.done), max=str(progress.total), aria_label="Calls that have ended")
    words = tag("p", display.progress(progress))
    return tag("div", bar, words, *(_newest(row, reply) for row, reply in newest), class_="lf-progress")


def _newest(row: Row, reply: Reply) -> Markup:
    said = reply.text if reply.failure is None else reply.failure.message
    return tag("p", tag("b", f"{row.item} · {reply.lane}: "), said[:LETTERS], class_="lf-newest")


def results_view(tallies: Mapping[str, Tally], at_once: int, run: str | None, *, ended: bool) -> Markup:
    """The table of all models; at the end what must be known to read it, and the answers as files."""
    figures = {name: figures_of(tally) for name, tally in tallies.items()}
    columns = [
        name
        for name in next(iter(figures.values()), {})
        if any(each[name] != display.NOTHING for each in figures.values())
    ]
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in ("Model", *columns))))
    rows = [
        tag("tr", tag("th", name, scope="row"), *(tag("td", each[column]) for column in columns))
        for name, each in figures.items()
    ]
    table = tag("div", tag("table", head, tag("tbody", *rows), class_="lf-table lf-batch"), class_="lf-table-wrap")
    if not ended:
        return table
    told = tag("ul", *(tag("li", note) for note in notes(tallies, at_once)), class_="lf-note")
    return join(table, told, downloads(run) if run else None)


def downloads(run: str) -> Markup:
    """Links to the answers of a run as files, and to its report."""
    links = (
        tag("a", words, href=f"{DOWNLOADS}/{quote(run)}.{form}", download="")
        for words, form in (("All answers as CSV", "csv"), ("as JSON Lines", "jsonl"), ("as Parquet", "parquet"))
        if writable(form)
    )
    return tag("p", *links, report_link(run), class_="lf-downloads")


def choices(runs: Iterable[Run]) -> list[tuple[str, str]]:
    """Earlier batches to choose from: (what is shown, id), the newest first."""
    told = [
        (f"{run.started_at:%Y-%m-%d %H:%M} · {run.title}{'' if run.ended_at else ' · not finished'}", run.id)
        for run in runs
    ]
    return [("a new batch", ""), *told]
