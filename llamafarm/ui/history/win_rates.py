"""Win rates from votes, as the History tab shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.core import display
from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.bootstrap import share
from llamafarm.history.win_rates import Standing, Tally
from llamafarm.ui.parts.markup import Markup, tag

TITLES = ("Model", "Won", "Lost", "Win rate", "Ties", "All bad")


def rates_view(found: Sequence[Standing]) -> Markup:
    """The win rates of all models, of blind votes and of others apart; empty where nobody voted. For a thread."""
    blind = [(each, each.blind) for each in found if each.blind.votes]
    named = [(each, each.named) for each in found if each.named.votes]
    if not blind and not named:
        return Markup("")
    several = len({each.project for each in found}) > 1
    note = (
        "Of what this search finds. A win rate is wins out of wins and losses, with its 95 % interval; ties, and votes "
        "that all are bad, stand apart. It counts who gave the answer, also where that stood in for another."
    )
    return tag(
        "details",
        tag("summary", "Win rates from votes"),
        _table("Blind votes", blind, several=several),
        _table("Votes with the names shown", named, several=several),
        tag("p", note, class_="lf-note"),
        class_="lf-folded lf-rates",
    )


def _table(title: str, tallies: Sequence[tuple[Standing, Tally]], *, several: bool) -> Markup | None:
    if not tallies:
        return None
    ordered = sorted(tallies, key=lambda pair: -(pair[1].won / max(pair[1].won + pair[1].lost, 1)))
    head = tag("tr", *(tag("th", name, scope="col") for name in TITLES))
    rows = (_row(standing, tally, several=several) for standing, tally in ordered)
    table = tag("table", tag("caption", title), tag("thead", head), tag("tbody", *rows), class_="lf-table")
    return tag("div", table, class_="lf-table-wrap", tabindex="0", role="region", aria_label=title)


def _row(standing: Standing, tally: Tally, *, several: bool) -> Markup:
    name = f"{standing.model} ({standing.project})" if several else standing.model
    figures = (str(tally.won), str(tally.lost), _rate(tally), str(tally.tied), str(tally.bad))
    return tag("tr", tag("th", name, scope="row"), *(tag("td", figure) for figure in figures))


def _rate(tally: Tally) -> str:
    rate: Estimate | None = share([[1.0] * tally.won + [0.0] * tally.lost])
    return display.NOTHING if rate is None else display.interval(rate, lambda value: f"{value:.0%}")
