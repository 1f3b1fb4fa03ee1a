"""The report's tables: rows of figures as text, with what each rests on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llamafarm.core import display
from llamafarm.core.types import CostSource, Count
from llamafarm.experiments.stats.spread import Spread
from llamafarm.experiments.stats.tally import Costs, Sum
from llamafarm.output.report.figures import CALLS, Figures
from llamafarm.output.report.verdicts import votes_won

SOURCES: dict[CostSource, str] = {
    "reported": "told by the server",
    "config": "project file's prices",
    "table": "price table",
    "free": "own hardware",
    "unknown": "unknown",
}
Cell = tuple[str, str]  # the figure, and a note under it
NOTHING: Cell = (display.NOTHING, "")
Named = Sequence[tuple[tuple[str, ...], Figures]]  # the words that begin a row, and what the row is about


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the first `heads` of its columns name the row."""

    title: str
    note: str
    columns: tuple[str, ...]
    heads: int
    rows: tuple[tuple[Cell, ...], ...]


def tables(named: Named, heads: tuple[str, ...]) -> list[Table]:
    """Quality, speed and cost of the same rows."""
    return [_quality(named, heads), _speed(named, heads), _cost(named, heads)]


def _table(title: str, note: str, heads: tuple[str, ...], named: Named, rows: Iterable[Mapping[str, Cell]]) -> Table:
    """Columns in which nothing is known are left out."""
    made = list(rows)
    columns = [name for name in (made[0] if made else {}) if any(row[name][0] != display.NOTHING for row in made)]
    whole = tuple(
        (*((word, "") for word in words), *(row[name] for name in columns))
        for (words, _), row in zip(named, made, strict=True)
    )
    return Table(title, note, (*heads, *columns), len(heads), whole)


def _quality(named: Named, heads: tuple[str, ...]) -> Table:
    note = "In brackets: 95 % intervals. Answers that failed are in no share."
    return _table("Answers and quality", note, heads, named, (_quality_row(each) for _, each in named))


def _quality_row(each: Figures) -> dict[str, Cell]:
    tally = each.tally
    kinds = ", ".join(f"{count:,} × {kind}" for kind, count in tally.faults.most_common(3))
    stood_in = f"{tally.stood_in:,} answered by a fallback" if tally.stood_in else ""
    unchecked = f"{tally.unchecked:,} could not be checked" if tally.unchecked else ""
    unscored = f"{each.unscored:,} without a score" if each.unscored else ""
    won = f"{each.best:,} of {each.voted:,}" if each.voted else ""
    return {
        "Whole answers": (f"{tally.answered:,} of {tally.asked:,}", stood_in),
        "Checks passed": (display.interval(each.pass_rate, display.percent), unchecked),
        "Judge's score": (display.interval(each.score, display.percent), unscored),
        "Votes won": (display.interval(votes_won(each), display.percent), won),
        "Cut at the limit": _count(tally.cut),
        "Failed": _count(tally.failed, kinds),
    }


def _count(value: int, note: str = "") -> Cell:
    return (f"{value:,}", note) if value else NOTHING


def _speed(named: Named, heads: tuple[str, ...]) -> Table:
    note = "Medians with 95 % intervals, and 95th percentiles (p95), of answers with nothing of another's in them."
    return _table("Speed", note, heads, named, (_speed_row(each) for _, each in named))


def _speed_row(each: Figures) -> dict[str, Cell]:
    ttft, total, speed = each.ttft, each.total, each.speed
    estimated = each.tally.made.estimated
    return {
        "TTFT median": _median(ttft),
        "TTFT p95": (display.seconds(ttft.p95 if ttft else None), ""),
        "Total median": _median(total),
        "Total p95": (display.seconds(total.p95 if total else None), ""),
        "Speed median": (display.speed(speed.median.value if speed else None, estimated=estimated), ""),
        "Timed": (f"{ttft.median.n:,}" if ttft else "0", _conditions(each)),
    }


def _median(found: Spread | None) -> Cell:
    if found is None:
        return NOTHING
    return display.seconds(found.median.value), display.bounds(found.median, display.seconds)


def _conditions(each: Figures) -> str:
    unknown = each.tally.answered - each.shared - each.alone
    parts = (
        (each.shared, "shared the server"),
        (each.alone, "had it alone"),
        (unknown, "not known"),
        (each.tally.waited, "waited at the server: times without that"),
        (each.tally.late, "timed while the playground was late: may be too long"),
        (each.cold, "cold: not timed"),
        (each.tally.retried, "after failed tries: not timed"),
        (each.tally.reconnected, "asked again on a new connection"),
    )
    return ", ".join(f"{count:,} {words}" for count, words in parts if count)


def _cost(named: Named, heads: tuple[str, ...]) -> Table:
    note = f"Tokens are means of a call; “~” is estimated. {CALLS:,} calls: at the mean of whole answers."
    return _table("Tokens and cost", note, heads, named, (_cost_row(each) for _, each in named))


def _cost_row(each: Figures) -> dict[str, Cell]:
    spent = display.money(each.tally.costs.money) if each.tally.asked else display.NOTHING
    return {
        "Tokens in": (_mean(each.tally.given), ""),
        "Tokens out": (_mean(each.tally.made), ""),
        "Cost of all calls": (spent, _sources(each)),
        f"{CALLS:,} calls": (_at_calls(each), ""),
        "Judging": (_beside(each.judging), ""),
        "Warming": (_beside(each.warming), ""),
        "Earlier tries": (_beside(each.earlier), ""),
    }


def _mean(found: Sum) -> str:
    if not found.known:
        return display.NOTHING
    return display.tokens(Count(round(found.value / found.known), "estimated" if found.estimated else "reported"))


def _sources(each: Figures) -> str:
    return ", ".join(SOURCES[source] for source, _ in each.paid.sources.most_common())


def _at_calls(each: Figures) -> str:
    if each.free:
        return "free"
    return display.usd(each.at_calls, estimated=each.paid.estimated) if each.tally.answered else display.NOTHING


def _beside(costs: Costs) -> str:
    return display.money(costs.money) if costs.sources.total() else display.NOTHING
