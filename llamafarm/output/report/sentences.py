"""The report in short: a few plain sentences for somebody who reads nothing else. Markup escapes what is put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from llamafarm.core import display
from llamafarm.core.figures import Estimate, Money
from llamafarm.experiments.stats.tally import all_cautions, cautioned, late_note
from llamafarm.output.report.collect import Collected
from llamafarm.output.report.figures import CALLS, Figures
from llamafarm.output.report.verdicts import Ahead, Quality, ahead, cheapest, qualities_of

TOO_FEW = "too few answers to tell"


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the boxes on top: what it is about, who is ahead, the figure, and a doubt where there is one."""

    title: str
    value: str
    figure: str
    doubt: str = ""


def range_of(found: Estimate) -> str:
    """The 95 % interval of a share in words; empty where there is none."""
    if found.low is None or found.high is None:
        return ""
    return f" (95 % interval {display.percent(found.low)} to {display.percent(found.high)})"


def listed(names: Sequence[str]) -> Markup:
    """Names in bold, as a list in a sentence."""
    bold = [Markup("<strong>{}</strong>").format(name) for name in names]
    if len(bold) < 2:  # noqa: PLR2004 - no "and" yet
        return Markup("").join(bold)
    return Markup(", ").join(bold[:-1]) + Markup(" and ") + bold[-1]


def _say(template: str, *parts: object) -> Markup:
    """`template`, one of this file's own, with `parts` escaped in it."""
    return Markup(template).format(*parts)  # noqa: S704 - what is put in is escaped, and templates are literals


def sentences(whole: Collected) -> list[Markup]:
    """All that can be said in short, in the order of what a reader asks."""
    models = list(whole.figures.values())
    return [*_best(models), *_fastest(models), *_cheapest(models), *_failures(whole, models), *_doubts(models)]


def _best(models: Sequence[Figures]) -> Iterator[Markup]:
    qualities = qualities_of(models)
    if not qualities:
        yield _say("Nothing here says which answers are better: there are no checks, no judge and no votes.")
    for quality in qualities:
        if (found := ahead(models, quality.of)) is not None:
            yield _quality(quality, found)


def _quality(quality: Quality, found: Ahead) -> Markup:
    figure = f"{display.percent(found.figure.value)}{range_of(found.figure)}"
    if found.kind == "alone":
        return _say("{} reached {} by {}.", listed([found.model]), figure, quality.words)
    if found.kind == "clear":
        text = "By {} {} answered best: {}, and it is told apart from every other model."
        return _say(text, quality.words, listed([found.model]), figure)
    text = "By {} {} is ahead with {}, but there are " + TOO_FEW + " it from {}."
    return _say(text, quality.words, listed([found.model]), figure, listed(found.rivals))


def _fastest(models: Sequence[Figures]) -> Iterator[Markup]:
    found = ahead(models, _ttft, least=True)
    if found is None:
        yield _say("No time to the first word was measured that is the model's own.")
        return
    how = "median" if found.figure.n > 1 else "one answer"
    figure = f"{display.interval(found.figure, display.seconds)} ({how})"
    if found.kind == "alone":
        yield _say("{} showed its first word after {}.", listed([found.model]), figure)
    elif found.kind == "clear":
        text = "{} was the fastest: its first word came after {}, before that of every other model{}."
        though = ", though servers were shared" if _any_shared(models) else ""
        yield _say(text, listed([found.model]), figure, though)
    else:
        text = "{} showed its first word soonest, after {}, but there are " + TOO_FEW + " it from {}."
        yield _say(text, listed([found.model]), figure, listed(found.rivals))


def _any_shared(models: Sequence[Figures]) -> bool:
    return any(each.shared for each in models)


def _ttft(figures: Figures) -> Estimate | None:
    return None if (found := figures.ttft) is None else found.median


def _cheapest(models: Sequence[Figures]) -> Iterator[Markup]:
    found = cheapest(models)
    unknown = found.unknown if found else tuple(each.name for each in models if each.tally.answered)
    if found is not None and found.free:
        yield _say("{} ran on hardware of one's own: a call has no price.", listed(found.models))
    elif found is not None:
        usd = display.usd(found.usd, estimated=found.estimated)
        verb = "costs" if found.known == 1 else "is the cheapest: it costs" if len(found.models) == 1 else "cost least:"
        text = "{} {} {} for {:,} calls like these."
        yield _say(text, listed(found.models), verb, usd, CALLS)
    if unknown:
        yield _say("What {} costs is not known: nobody told a price.", listed(unknown))
    spent = spent_on(models)
    if spent.usd:
        beside = " with judging, warming and earlier tries" if any(each.beside for each in models) else ""
        yield _say("All calls here together cost {}{}.", display.money(spent), beside)


def spent_on(models: Sequence[Figures]) -> Money:
    """What everything that was asked cost, judging, warming and earlier tries included."""
    sums = [costs for each in models for costs in (each.tally.costs, each.judging, each.warming, each.earlier)]
    paid = [costs.money for costs in sums if costs.sources.total()]
    known = [money.usd for money in paid if money.usd is not None]
    unknown, estimated = sum(money.unknown for money in paid), any(money.estimated for money in paid)
    return Money(
        sum(known, Decimal(0)) if known else None, unknown, estimated, bool(paid) and all(each.free for each in paid)
    )


def _failures(whole: Collected, models: Sequence[Figures]) -> Iterator[Markup]:
    asked, failed = sum(each.tally.asked for each in models), sum(each.failed for each in models)
    if failed:
        names = [each.name for each in models if each.failed]
        text = "{:,} of {:,} calls gave no whole answer of the model that was asked, at {}."
        yield _say(text, failed, asked, listed(names))
    if whole.unfinished:
        yield _say("{:,} more calls never ended: they are in no figure.", whole.unfinished)


def _probes(models: Sequence[Figures]) -> Iterator[Markup]:
    for each in models:
        for mark in each.probed.values():
            yield _say("A probe of {}'s server on {} found: {}. {}", each.name, mark.day, mark.short, mark.meaning)


def _doubts(models: Sequence[Figures]) -> Iterator[Markup]:
    answered, shared = sum(each.tally.answered for each in models), sum(each.shared for each in models)
    unknown = answered - shared - sum(each.alone for each in models)
    if shared:
        text = "Mind the times: {:,} of {:,} answers shared their server with other requests, which slow each other."
        yield _say(text, shared, answered)
    if unknown:
        yield _say("Of {:,} answers it is not known whether their server was shared.", unknown)
    if waited := sum(each.tally.waited for each in models):
        yield _say(
            "{:,} of {:,} answers waited at their server for others: the times are without that.", waited, answered
        )
    if late := late_note(sum(each.tally.late for each in models), answered):
        yield _say(late)
    if doubted := sum(each.tally.doubted for each in models):
        yield _say("Of {:,} calls the server counted what can't be: that was not used.", doubted)
    for told in cautioned(all_cautions(each.tally.cautions for each in models)):
        yield _say(told)
    yield from _probes(models)
    if lost := sum(each.tally.lost_s for each in models):
        retried = sum(each.tally.retried for each in models)
        text = "{} went to failed tries, pauses and closed connections, {:,} calls had a failed try: it is in no time."
        yield _say(text, display.seconds(lost), retried)
    if staged := sum(each.staged for each in models):
        yield _say("{:,} calls had a staged fault: a demonstration, no measurement.", staged)


def tiles(whole: Collected) -> list[Tile]:
    """The boxes on top."""
    models = list(whole.figures.values())
    asked = sum(each.tally.asked for each in models)
    answered = sum(each.tally.answered for each in models)
    found = [*_best_tile(models), *_fast_tile(models), *_cost_tile(models)]
    return [*found, Tile("Whole answers", f"{answered:,} of {asked:,}", f"{asked - answered:,} failed")]


def _best_tile(models: Sequence[Figures]) -> Iterator[Tile]:
    for quality in qualities_of(models)[:1]:
        found = ahead(models, quality.of)
        if found is None:
            return
        yield Tile(f"Best by {quality.words}", found.model, display.percent(found.figure.value), _doubt(found))


def _fast_tile(models: Sequence[Figures]) -> Iterator[Tile]:
    if (found := ahead(models, _ttft, least=True)) is not None:
        yield Tile(
            "First word soonest",
            found.model,
            f"{display.seconds(found.figure.value)}{' median' if found.figure.n > 1 else ''}",
            _doubt(found) or ("servers were shared" if _any_shared(models) else ""),
        )


def _cost_tile(models: Sequence[Figures]) -> Iterator[Tile]:
    found = cheapest(models)
    if found is None:
        yield Tile(f"Cost of {CALLS:,} calls", "unknown", "nobody told a price")
        return
    figure = "free: own hardware" if found.free else display.usd(found.usd, estimated=found.estimated)
    doubt = f"unknown for {', '.join(found.unknown)}" if found.unknown else ""
    yield Tile(f"Least for {CALLS:,} calls", ", ".join(found.models), figure, doubt)


def _doubt(found: Ahead) -> str:
    return TOO_FEW if found.kind == "tied" else ""
