"""Estimates how long a run takes, from the newest recorded answers of the same models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from llamafarm.config.server import server_of
from llamafarm.core.reply import Reply
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.sweep.plan import Expected, Plan
from llamafarm.history.reader import HistoryReader

NEWEST = 40  # answers of a model that its pace rests on


@dataclass(frozen=True, slots=True)
class DurationEstimate:
    """Medians over `answers` earlier ones that were timed: seconds to the first token and to the end, tokens made.

    `tokens_per_s` is None where no answer was long enough to tell it.
    """

    answers: int
    ttft_s: float
    total_s: float
    tokens: float | None
    tokens_per_s: float | None

    def seconds(self, bound: int | None) -> float:
        """What an answer of at most `bound` tokens takes: as long as the earlier ones, or shorter by its bound."""
        if bound is None or self.tokens is None or self.tokens_per_s is None or bound >= self.tokens:
            return self.total_s
        return min(self.total_s, self.ttft_s + bound / self.tokens_per_s)


def pace_of(replies: Iterable[Reply]) -> DurationEstimate | None:
    """The pace of a model by earlier replies; None where none of them was timed."""
    samples = [sample for reply in replies if (sample := Sample(0, 0, reply)).ttft_s is not None]
    totals = [sample.total_s for sample in samples if sample.total_s is not None]
    if not totals:
        return None
    counts = [sample.reply.usage.output.value for sample in samples if sample.reply.usage.output]
    speeds = [speed for sample in samples if (speed := sample.reply.timings.tokens_per_s) is not None]
    return DurationEstimate(
        answers=len(totals),
        ttft_s=median(sample.ttft_s for sample in samples if sample.ttft_s is not None),
        total_s=median(totals),
        tokens=median(counts) if counts else None,
        tokens_per_s=median(speeds) if speeds else None,
    )


async def expecting(plan: Plan, past: HistoryReader, at_once: int, *, fair: bool, embedded: int = 1) -> Plan:
    """`plan` with how long it may take, where each of its models has answered before; else `plan` as it is.

    Servers work side by side, each at `at_once` calls, of which an embedded model takes at most `embedded`; fair runs
    are one call after the other.
    """
    paces = {}
    for model in {work.model.name: work.model for work in plan.work}.values():
        found = await past.newest_lanes(model.name, model.model, limit=NEWEST)
        pace = pace_of(ended.reply for ended in found)
        if pace is None:
            return plan
        paces[model.name] = pace
    if not paces:
        return plan
    busy: dict[str, float] = defaultdict(float)
    for work in plan.work:
        most = min(at_once, embedded) if work.model.profile.embedded else at_once
        server, places = ("", 1) if fair else (server_of(work.model), most)
        busy[server] += work.calls * paces[work.model.name].seconds(work.bound) / places
    return replace(plan, expected=Expected(max(busy.values()), sum(pace.answers for pace in paces.values())))
