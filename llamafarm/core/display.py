"""Figures as people read them: the same in the page, the terminal and reports. Pure.

`~` marks what rests on an estimate, `–` what was not measured, `unknown` a cost that nobody told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from llamafarm.core.conditions import THIS_MACHINE, Figure, Sharing, WarmUp
from llamafarm.core.errors import Culprit
from llamafarm.core.events import Failed
from llamafarm.core.figures import Estimate, Money, Progress
from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, JsonValue, Timings

NOTHING = "–"
SIGNIFICANT = 3
WORTH_TELLING_S = 0.05  # of loading and waiting
SHORTEST_S = 0.0005  # that is written as a number
CENT = Decimal("0.01")
PRECISE = Decimal("1e20")  # dollars; beyond, a decimal has no cents any more
MINUTE_S = 59.5  # rounds to a whole minute


class Listed(Protocol):
    """What a list knows of an answer; see `records.find.LaneBrief`."""

    @property
    def timings(self) -> Timings: ...  # noqa: D102 - see there
    @property
    def retries(self) -> int: ...  # noqa: D102
    @property
    def reconnects(self) -> int: ...  # noqa: D102
    @property
    def fallbacks(self) -> int: ...  # noqa: D102
    @property
    def ttft_lost_s(self) -> float: ...  # noqa: D102


def seconds(value: float | None) -> str:
    """A span: `85 ms`, `1.24 s`, `3 min 05 s`."""
    if value is None:
        return NOTHING
    if value < 0.9995:  # noqa: PLR2004 - rounds to a whole second
        return f"{value * 1000:.0f} ms"
    if value < 59.95:  # noqa: PLR2004 - rounds to a whole minute
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"  # noqa: PLR2004 - three figures
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


CULPRITS: Mapping[Culprit, str] = {
    "address": "the address",
    "key": "the key",
    "account": "the account at the server",
    "region": "the region",
    "model": "the model",
    "request": "the request",
    "proxy": "a proxy",
    "playground": "the playground",
    "server": "the server",
}


def at_fault(failure: Failed) -> str:
    """Who is at fault: `At fault: the key.`; empty where an older record does not tell."""
    return f"At fault: {CULPRITS[failure.culprit]}." if failure.culprit else ""


def why_failed(failure: Failed) -> str:
    """What happened, what to do, and who is at fault."""
    return " ".join(filter(None, (failure.message, failure.hint, at_fault(failure))))


def remarks(reply: Reply) -> list[str]:
    """What must be known to read an answer and its counts rightly: a sentence each."""
    return [*(caution.text for caution in reply.cautions), *reply.usage.doubts]


def tokens(count: Count | None) -> str:
    """A number of tokens: `1,204`, or `~1,204` where it is estimated."""
    if count is None:
        return NOTHING
    return f"{'~' if count.source == 'estimated' else ''}{count.value:,}"


def speed(value: float | None, *, estimated: bool = False) -> str:
    """Tokens per second: `41.3 tok/s`."""
    if value is None:
        return NOTHING
    figure = f"{value:.1f}" if value < 99.95 else f"{value:.0f}"  # noqa: PLR2004 - three figures
    return f"{'~' if estimated else ''}{figure} tok/s"


def rate(value: float) -> str:
    """How often something happens: `0.42 a second`, `230 a second`."""
    return f"{value:,.0f} a second" if value >= 10 else f"{value:.2g} a second"  # noqa: PLR2004 - two figures


def usd(value: Decimal | None, *, estimated: bool = False) -> str:
    """US dollars to three significant figures below one, to the cent above: never a cost as $0.00."""
    if value is None:
        return "unknown"
    mark = "~" if estimated else ""
    if value == 0:
        return f"{mark}$0"
    if value >= 1:
        return f"{mark}${value.quantize(CENT, ROUND_HALF_UP):,}" if value < PRECISE else f"{mark}${value:.2e}"
    places = SIGNIFICANT - 1 - value.adjusted()
    return f"{mark}${value:.{places}f}"


def share(value: float) -> str:
    """A share of one: `0.57`."""
    return f"{value:.2f}"


def percent(value: float) -> str:
    """A share as people say it: `57 %`."""
    return f"{value * 100:.0f} %"


def setting(value: JsonValue) -> str:
    """A value of a parameter."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def interval(found: Estimate | None, text: Callable[[float], str]) -> str:
    """A figure as `text` writes it, with its 95 % interval where it has one: `0.57 [0.23, 0.87]`."""
    if found is None:
        return NOTHING
    return f"{text(found.value)} {bounds(found, text)}".rstrip()


def bounds(found: Estimate, text: Callable[[float], str]) -> str:
    """The 95 % interval of a figure: `[0.23, 0.87]`; empty where it has none."""
    return "" if found.low is None or found.high is None else f"[{text(found.low)}, {text(found.high)}]"


def money(found: Money) -> str:
    """A sum of costs, and how many are not in it: unknown is never zero."""
    if found.free:
        return "free"
    if found.usd is None:
        return usd(None)
    known = usd(found.usd, estimated=found.estimated)
    return f"{known} + {found.unknown} unknown" if found.unknown else known


def sharing(found: Sharing | None) -> str:
    """In words with whom an answer shared its server: `with 2 other requests at http://gpu:8000`; empty if alone."""
    if found is None or not found.others:
        return ""
    others = "1 other request" if found.others == 1 else f"up to {found.others:,} other requests"
    place = f"on {THIS_MACHINE}" if found.server == THIS_MACHINE else f"at {found.server}"
    told = f"with {others} {place}"
    return f"{told}, which serves many" if found.hosted else told


def lag(spans: Timings) -> str:
    """In words which figures the playground's own lateness makes doubtful, and by how much; empty where none."""
    figures = [name for name, doubtful in (("TTFT", spans.ttft_doubtful), ("total", spans.total_doubtful)) if doubtful]
    if not figures:
        return ""
    late = spans.lag_s if spans.total_doubtful else spans.ttft_lag_s
    return f"{_lateness(late)}: {' and '.join(figures)} may be so much too long"


def _lateness(late: float | None) -> str:
    return f"the playground itself was up to {seconds(late)} late"


def warm_ttft(spans: Timings) -> str:
    """TTFT without loading, where loading is worth telling: `85 ms without loading`; else empty."""
    if spans.warm_ttft_s is None or (spans.load_s or 0.0) < WORTH_TELLING_S:
        return ""
    return f"{seconds(spans.warm_ttft_s)} without loading"


def waited(spans: Timings) -> str:
    """The wait in the server's own queue, where it is worth telling, and the TTFT without it; else empty."""
    if spans.server_queue_s is None or spans.server_queue_s < WORTH_TELLING_S:
        return ""
    without = "" if spans.served_ttft_s is None else f", {seconds(spans.served_ttft_s)} without that"
    return f"waited {seconds(spans.server_queue_s)} at the server{without}"


def lost(reply: Reply, seconds_lost: float) -> str:
    """What of a time went to what is not the model's: `812 ms lost to a failed try and a closed connection`; or empty.

    It is told however short it is: an answer with a pause of ours in it is another measurement.
    """
    return lost_to(seconds_lost, len(reply.retries), reply.reconnects, len(reply.fallbacks))


def lost_to(seconds_lost: float, retries: int, reconnects: int, fallbacks: int) -> str:
    """The same by the number of each."""
    counts = ((retries, "failed try", "failed tries"), (reconnects, "closed connection", "closed connections"))
    causes = [f"{count:,} {many}" if count > 1 else f"a {one}" for count, one, many in counts if count]
    if fallbacks:
        causes.append("models that failed before" if fallbacks > 1 else "a model that failed before")
    if not causes or not seconds_lost:
        return ""
    span = seconds(seconds_lost) if seconds_lost >= SHORTEST_S else "under 1 ms"
    return f"{span} lost to {' and '.join(causes)}"


def ttft_marks(lane: Listed) -> list[str]:
    """What a listed TTFT has in it that is not its model's, and what makes it doubtful: some words each."""
    spans = lane.timings
    loading = f"{seconds(spans.load_s)} loading" if (spans.load_s or 0.0) >= WORTH_TELLING_S else ""
    lost = lost_to(lane.ttft_lost_s, lane.retries, lane.reconnects, lane.fallbacks)
    late = _lateness(spans.ttft_lag_s) if spans.ttft_doubtful else ""
    return [mark for mark in (loading, lost, late) if mark]


def reconnected(reply: Reply) -> str:
    """That requests left again because a kept connection was closed; empty where none did."""
    if not reply.reconnects:
        return ""
    times = "" if reply.reconnects == 1 else f" {reply.reconnects:,} times"
    return f"A kept connection was closed{times}: asked again at once on a new one."


def probed(reply: Reply, figure: Figure) -> str:
    """What a probe of its server found that bears on a figure of this answer, in a word or two: `✗ in lumps`."""
    found = [mark.short for mark in reply.probed if figure in mark.figures]
    return f"✗ {', '.join(found)}" if found else ""


def probe_notes(reply: Reply) -> Iterator[str]:
    """What that means, a sentence each, with the day of the probe."""
    for mark in reply.probed:
        yield f"{mark.short} (probe of {mark.day}): {mark.meaning}"


def warmup(found: WarmUp) -> str:
    """What warming a model took and cost: `0.41 s (300 ms loading), ~$0.0001`; why it failed."""
    loading = f" ({seconds(found.load_s)} loading)" if found.load_s and found.load_s >= WORTH_TELLING_S else ""
    took = f"{seconds(found.seconds)}{loading}"
    if found.error:
        return f"failed after {took}: {found.error}"
    cost = "free" if found.cost.source == "free" else f"cost {usd(found.cost.usd, estimated=found.cost.estimated)}"
    return f"{took}, {cost}"


def progress(run: Progress) -> str:
    """How far a run is: `120 of 800 · 3 failed · 42 a second · 16.2 s left`."""
    parts = [f"{run.done:,} of {run.total:,}"]
    if run.resumed:
        parts.append(f"{run.resumed:,} of them from before")
    if run.failed:
        parts.append(f"{run.failed:,} failed")
    if run.per_s is not None:
        parts.append(rate(run.per_s))
    if run.left_s:
        parts.append(f"{seconds(run.left_s)} left")
    return " · ".join(parts)


def about(span_s: float, answers: int) -> str:
    """How long a planned run may take, and what says so."""
    span = f"{max(span_s, 1):.0f} s" if span_s < MINUTE_S else seconds(round(span_s))
    return f"about {span}, if answers take what {answers:,} earlier ones of these models took"


def most(value: Decimal | None, unpriced: Iterable[str]) -> str:
    """What a planned run may cost: `nothing`, `at most ~$0.12`, or `unknown (for a, b)`."""
    if value is None:
        return f"unknown (for {', '.join(unpriced)})"
    return "nothing" if value == 0 else f"at most {usd(value, estimated=True)}"
