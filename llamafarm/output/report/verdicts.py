"""Which of several models is ahead, and whether that can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.bootstrap import wilson
from llamafarm.output.report.figures import Figures

Kind = Literal["clear", "tied", "alone"]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The model that is ahead by a measure, and its figure.

    clear: told apart from all others. tied: not from `rivals`: too few answers to tell. alone: there is no other.
    """

    kind: Kind
    model: str
    figure: Estimate
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """By what answers are judged here, and how to read that of a model."""

    words: str
    of: Callable[[Figures], Estimate | None]


def votes_won(figures: Figures) -> Estimate | None:
    """The share of the votes that went to the model."""
    return wilson(figures.best / figures.voted, figures.voted) if figures.voted else None


QUALITIES = (
    Quality("checks passed", lambda each: each.pass_rate),
    Quality("the judge's score", lambda each: each.score),
    Quality("votes", votes_won),
)


def qualities_of(models: Iterable[Figures]) -> list[Quality]:
    """The measures of which any model has something, the surest first; none where nothing says what is better."""
    models = list(models)
    return [quality for quality in QUALITIES if any(quality.of(each) for each in models)]


def ahead(models: Iterable[Figures], of: Callable[[Figures], Estimate | None], *, least: bool = False) -> Ahead | None:
    """The model with the highest figure, or the lowest; None where no model has one."""
    known = [(each.name, found) for each in models if (found := of(each)) is not None]
    if not known:
        return None
    name, best = (min if least else max)(known, key=lambda each: each[1].value)
    rivals = tuple(other for other, found in known if other != name and found.overlaps(best))
    return Ahead("alone" if len(known) == 1 else "tied" if rivals else "clear", name, best, rivals)


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The model whose calls cost least of those whose cost is known, for 10,000 calls. `unknown` are the others."""

    models: tuple[str, ...]
    usd: Decimal
    estimated: bool
    free: bool
    unknown: tuple[str, ...]
    known: int


def cheapest(models: Iterable[Figures]) -> Cheapest | None:
    """The cheapest; None where no cost is known."""
    models = [each for each in models if each.tally.answered]
    known = {each.name: (usd, each) for each in models if (usd := each.at_calls) is not None}
    if not known:
        return None
    least = min(usd for usd, _ in known.values())
    winners = [each for usd, each in known.values() if usd == least]
    return Cheapest(
        tuple(each.name for each in winners),
        least,
        any(each.paid.estimated for each in winners),
        all(each.free for each in winners),
        tuple(each.name for each in models if each.name not in known),
        len(known),
    )
