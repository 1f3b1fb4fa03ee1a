"""The live table: one row a lane, every figure with its source, the best of each column marked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llamafarm.config.model import NamedModel
from llamafarm.config.server import server_of
from llamafarm.core import display
from llamafarm.core.conditions import THIS_MACHINE, Sharing
from llamafarm.core.conditions import Figure as FigureKind
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, Route, Timings
from llamafarm.engine.exchange import ITS_TURN, exchange_notes
from llamafarm.ui.compare.timeline import scale_of, timeline
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.words import SOURCES, caution_chips, changed_chips, ending, late_chip, shared_chip, status_pill

CALLS = 10_000
RIVALS = 2
# How many times better than the next a figure must be: one answer's time or length can't tell less.
CLEAR, CLEAR_COST = 1.25, 1.1


@dataclass(frozen=True, slots=True)
class Figure:
    """One cell: the number that columns are ranked by, how it is written, and what it rests on.

    `mark` stands under the figure where that must be seen; `note` tells the rest on hovering. `ranked` is how `value`
    reads where that is not what is written.
    """

    value: float | Decimal | None
    text: str
    note: str = ""
    mark: str = ""
    ranked: str = ""

    @property
    def reads(self) -> str:
        """What it is compared by, as it is written: what reads alike is equally good."""
        return self.ranked or self.text


@dataclass(frozen=True, slots=True)
class Column:
    """A column of figures, what counts as best in it, and whether our own lateness makes a lane's figure doubtful.

    `kind` is what probes call it. `best` is None where no figure is better than another; `clear` is how many times the
    best must be better than the next to be called so.
    """

    name: str
    title: str
    best: Literal["least", "most"] | None
    figure: Callable[[Reply], Figure]
    doubtful: Callable[[Timings], bool] = lambda _: False
    kind: FigureKind = "cost"
    clear: float = CLEAR


def _with(**spans: float | None) -> str:
    """What a time includes that is not the model's own, where it is worth telling."""
    marks = [
        f"{display.seconds(span)} {name}" for name, span in spans.items() if span and span >= display.WORTH_TELLING_S
    ]
    return f"with {', '.join(marks)}" if marks else ""


def _ttft(reply: Reply) -> Figure:
    spans = reply.timings
    thought = "" if spans.ttfr_s is None else f"first reasoning token after {display.seconds(spans.ttfr_s)}"
    marks = [
        display.warm_ttft(spans),  # first: it is what remains where the rest is cut
        _with(loading=spans.load_s, queue=spans.queue_s),
        display.lost(reply, reply.ttft_lost_s),
        display.waited(spans),
    ]
    mark = "; ".join(mark for mark in marks if mark)
    served = spans.served_ttft_s
    return Figure(served, display.seconds(spans.ttft_s), thought, mark, display.seconds(served))


def _total(reply: Reply) -> Figure:
    spans = reply.timings
    if reply.status == "warming" or reply.note.startswith(ITS_TURN):  # it has not begun
        return Figure(None, display.NOTHING)
    marks = [_with(**{"in tools": spans.tools_s, "waiting for you": spans.held_s})]
    if reply.lost_s > reply.ttft_lost_s:  # else it stands under the TTFT, which the total has in it
        marks.append(display.lost(reply, reply.lost_s))
    served, mark = spans.served_total_s, "; ".join(mark for mark in marks if mark)
    return Figure(served, display.seconds(spans.total_s), mark=mark, ranked=display.seconds(served))


def _speed(reply: Reply) -> Figure:
    estimated = reply.usage.output is not None and reply.usage.output.source == "estimated"
    text = display.speed(reply.timings.tokens_per_s, estimated=estimated)
    note = "from estimated tokens" if estimated else ""
    return Figure(reply.timings.tokens_per_s, text, note)


def _count(count: Count | None, note: str = "") -> Figure:
    if count is None:
        return Figure(None, display.tokens(None))
    source = "reported by the server" if count.source == "reported" else "estimated from the text"
    return Figure(float(count.value), display.tokens(count), f"{source}{note}")


def _input(reply: Reply) -> Figure:
    parts = ((reply.usage.cached, "cached"), (reply.usage.written, "written to the cache"))
    return _count(reply.usage.input, "".join(f"; {count.value:,} of them {what}" for count, what in parts if count))


def _output(reply: Reply) -> Figure:
    reasoning = reply.usage.reasoning
    return _count(reply.usage.output, f"; {display.tokens(reasoning)} of them reasoning" if reasoning else "")


def _cost(calls: int) -> Callable[[Reply], Figure]:
    def figure(reply: Reply) -> Figure:
        cost = reply.cost
        if reply.status == "idle" or (cost.usd is None and not reply.ended):
            return Figure(None, display.NOTHING)
        usd = None if cost.usd is None else cost.usd * calls
        source = SOURCES[cost.source] if calls == 1 and reply.ended else ""
        return Figure(usd, display.usd(usd, estimated=cost.estimated), cost.detail, source)

    return figure


COLUMNS = (
    Column(
        "TTFT",
        "Time to the first visible token, from Send; ranked without waiting for a place",
        "least",
        _ttft,
        lambda spans: spans.ttft_doubtful,
        "ttft",
    ),
    Column(
        "Total",
        "From Send to the end of the answer; ranked likewise",
        "least",
        _total,
        lambda spans: spans.total_doubtful,
        "total",
    ),
    Column(
        "Tokens/s",
        "(output tokens − 1) ÷ (last − first token)",
        "most",
        _speed,
        lambda spans: spans.total_doubtful,
        "speed",
    ),
    Column("In", "Input tokens; ~ is estimated", None, _input, kind="input"),
    Column("Out", "Output tokens, reasoning included; ~ is estimated", "least", _output, kind="output"),
    Column("Cost", "US dollars for this answer, with the source of the price", "least", _cost(1), clear=CLEAR_COST),
    Column(
        f"{CALLS:,} calls", f"US dollars for {CALLS:,} calls like this one", "least", _cost(CALLS), clear=CLEAR_COST
    ),
)


def table(
    replies: Sequence[Reply],
    routes: Sequence[Route],
    default: str,
    notes: Sequence[str] = (),
    changed: Mapping[str, Sequence[str]] | None = None,
) -> Markup:
    """The table of `replies`; `routes` marks the models that the strategies pick for this prompt.

    `notes` stand under it: what one must know to read the figures rightly. `changed` are the parameters by lane that
    are not the project's.
    """
    best = {column.name: _best(column, replies) for column in COLUMNS}
    picked = _picked(routes)
    titles = [tag("th", column.name, scope="col", title=column.title) for column in COLUMNS]
    header = tag("tr", tag("th", "Model", scope="col"), tag("th", "Status", scope="col"), *titles)
    scale = scale_of(replies)
    rows = [
        _row(reply, picked.get(reply.asked, ()), default, best, scale, (changed or {}).get(reply.lane, ()))
        for reply in replies
    ]
    whole = tag("table", tag("thead", header), tag("tbody", *rows), class_="lf-table")
    return join(
        tag("div", whole, class_="lf-table-wrap", tabindex="0", role="region", aria_label="Results"),
        _notes(notes),
    )


def _notes(notes: Sequence[str]) -> Markup | None:
    if not notes:
        return None
    count = f"{len(notes)} note{'' if len(notes) == 1 else 's'} on these figures"
    words = (tag("p", note, class_="lf-note") for note in notes)
    return tag("details", tag("summary", count), tag("div", *words), class_="lf-notes")


def shared(models: Sequence[NamedModel]) -> list[str]:
    """A note for each server that answers several of `models` at once, and for one that may have to exchange them."""
    groups: dict[str, list[NamedModel]] = {}
    for model in models:
        groups.setdefault(server_of(model), []).append(model)
    notes = [f"{_names(group)} {_company(server)}" for server, group in groups.items() if len(group) > 1]
    return [*notes, *exchange_notes(models)]


def _names(models: Sequence[NamedModel]) -> str:
    return ", ".join(model.name for model in models)


def _company(server: str) -> str:
    if Sharing(server, 1).hosted:
        return f"share one server ({server}): it serves many, and may limit how often it is asked."
    place = f"run on {server}" if server == THIS_MACHINE else f"share one server ({server})"
    return f"{place}: asked together they slow each other. “One at a time, warmed” gives times that may be compared."


def condition_notes(replies: Sequence[Reply]) -> list[str]:
    """What one must know of the figures: what was warmed before, which lanes waited for others, what can't be."""
    notes = [
        f"{reply.lane} was warmed before: {display.warmup(reply.warmup)}. That is in no figure here."
        for reply in replies
        if reply.warmup is not None
    ]
    waited = [reply.lane for reply in replies if display.waited(reply.timings)]
    if waited:
        notes.append(
            f"{', '.join(waited)} waited at the server for other answers: times are ranked without that. "
            "“One at a time, warmed” gives times that may be compared."
        )
    notes += [f"{reply.lane}: {told}" for reply in replies for told in display.probe_notes(reply)]
    return notes + [f"{reply.lane}: {doubt}" for reply in replies for doubt in display.remarks(reply)]


def _row(
    reply: Reply,
    strategies: Sequence[str],
    default: str,
    best: Mapping[str, str | None],
    scale: float,
    changed: Sequence[str],
) -> Markup:
    chips = [tag("span", f"→ {each}", class_="lf-chip lf-route", title="The router's pick") for each in strategies]
    chips += changed_chips(changed)
    if reply.asked == default:
        chips.insert(0, tag("span", "default", class_="lf-chip"))
    if reply.staged:
        chips.append(tag("span", "staged fault", class_="lf-chip lf-warn", title="A demonstration, no measurement"))
    chips += caution_chips(reply)
    chips += [chip for chip in (shared_chip(reply), late_chip(reply)) if chip is not None]
    if reply.model != reply.asked:
        chips.append(tag("span", f"answered by {reply.model}", class_="lf-chip lf-warn", title=_lost(reply)))
    name = tag("th", tag("div", reply.lane, class_="lf-name"), *chips, scope="row")
    how = tag("span", ending(reply), class_="lf-mark") if ending(reply) else None
    status = tag("td", status_pill(reply), how, timeline(reply, scale))
    return tag(
        "tr", name, status, *(_cell(column, column.figure(reply), best[column.name], reply) for column in COLUMNS)
    )


def _lost(reply: Reply) -> str:
    steps = " ".join(f"{step.model}: {step.message}" for step in reply.fallbacks)
    return f"{display.seconds(reply.lost_s)} went to what failed before. {steps}"


def _cell(column: Column, figure: Figure, best: str | None, reply: Reply) -> Markup:
    won, probed = _ranked(column, reply) and figure.reads == best, display.probed(reply, column.kind)
    return tag(
        "td",
        tag("span", figure.text, class_="lf-figure"),
        tag(
            "span",
            "best",
            class_="lf-best",
            title=f"the {column.best} of this column, by more than one answer may differ",
        )
        if won
        else None,
        tag("span", figure.mark, class_="lf-mark", title=figure.mark) if figure.mark else None,
        tag("span", probed, class_="lf-mark lf-warn-text") if probed and figure.text != display.NOTHING else None,
        class_="lf-won" if won else None,
        title=figure.note or None,
    )


def _best(column: Column, replies: Sequence[Reply]) -> str | None:
    """The best figure among ranked lanes as it reads.

    None where there is nothing to compare, all are alike, or the next is too near for one answer to tell.
    """
    if column.best is None:
        return None
    figures = [
        figure for reply in replies if _ranked(column, reply) if (figure := column.figure(reply)).value is not None
    ]
    if len({figure.reads for figure in figures}) < RIVALS:
        return None
    ranked = sorted(figures, key=lambda figure: float(figure.value or 0), reverse=column.best == "most")
    first = ranked[0]
    low, high = sorted(
        float(figure.value or 0) for figure in (first, next(f for f in ranked if f.reads != first.reads))
    )
    return first.reads if high >= low * column.clear else None


def _ranked(column: Column, reply: Reply) -> bool:
    """Only a whole answer is ranked, none of a demonstration, and no time that our own lateness may have made."""
    return reply.status == "done" and not reply.staged and not column.doubtful(reply.timings)


def _picked(routes: Sequence[Route]) -> dict[str, list[str]]:
    """The strategies by the model that they pick. One that abstains picks none: it stays with what there is."""
    picked: dict[str, list[str]] = {}
    for route in routes:
        if route.signals.get("doubt"):
            continue
        picked.setdefault(route.model, []).append(route.strategy.replace("_", " "))
    return picked
