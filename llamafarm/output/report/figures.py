"""What a report says of one model, added up answer by answer: memory holds three numbers of each."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from llamafarm.core import display
from llamafarm.core.conditions import ProbeMark
from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.bootstrap import mean, share
from llamafarm.experiments.stats.sample import Judged, Sample
from llamafarm.experiments.stats.spread import Spread, spread
from llamafarm.experiments.stats.tally import Costs, Tally
from llamafarm.history.model import Ended

CALLS = 10_000
MOST = 12  # different settings, price notes and kinds of failures that are told


@dataclass(slots=True)
class Figures:
    """The answers of one named model.

    `tally` counts and times them. Of its whole answers, `shared` had company at their server, `alone` had it to
    themselves, and of the others it is not known; `cold` ones had their model loaded first. `paid` are the costs of
    whole answers alone: what a call costs. `judging` and `warming` are costs beside them, `earlier`
    those of tries that a later one replaced. `best` counts votes.
    `repeated`: prompts were asked several times, so that intervals must know which answers belong together.
    """

    name: str
    repeated: bool = False
    tally: Tally = field(default_factory=Tally)
    identities: Counter[str] = field(default_factory=Counter)
    parameters: Counter[str] = field(default_factory=Counter)
    alone: int = 0
    cold: int = 0
    staged: int = 0
    paid: Costs = field(default_factory=Costs)
    judging: Costs = field(default_factory=Costs)
    earlier: Costs = field(default_factory=Costs)
    priced: Counter[str] = field(default_factory=Counter)
    first_priced: date | None = None
    last_priced: date | None = None
    said: dict[str, str] = field(default_factory=dict)
    probed: dict[str, ProbeMark] = field(default_factory=dict)
    voted: int = 0
    best: int = 0
    unscored: int = 0
    _speed: array[float] = field(default_factory=lambda: array("d"))
    _passed: dict[int, list[float]] = field(default_factory=dict)
    _scores: dict[int, list[float]] = field(default_factory=dict)

    def add(self, ended: Ended, sample: Sample) -> None:
        """Take the next answer."""
        reply = sample.reply
        self.tally.add(sample)
        self.identities[f"{reply.provider} · {reply.model_id}"] += 1
        self.staged += bool(reply.staged)
        if reply.cost.detail and (reply.cost.detail in self.priced or len(self.priced) < MOST):
            self.priced[reply.cost.detail] += 1
        self.first_priced = min(self.first_priced or ended.priced_on, ended.priced_on)
        self.last_priced = max(self.last_priced or ended.priced_on, ended.priced_on)
        if reply.failure is not None and len(self.said) < MOST:
            self.said.setdefault(reply.failure.kind, display.why_failed(reply.failure))
        for mark in reply.probed:  # by what was looked for, of which there are a dozen
            self.probed[mark.check] = mark
        if reply.status == "done":
            self.paid.add(reply.cost)
        if sample.answered:
            self._answer(sample)

    def judge(self, sample: Sample, found: Judged) -> None:
        """What a judge said of an answer that was taken before."""
        self.judging.add(found.cost)
        if found.score is None:
            self.unscored += 1
        else:
            self._scores.setdefault(sample.prompt, []).append(found.score)

    def _answer(self, sample: Sample) -> None:
        self.alone += sample.reply.shared is False
        self.cold += sample.cold
        speed = sample.reply.timings.tokens_per_s
        if speed is not None and sample.timed:
            self._speed.append(speed)
        if sample.passed is not None and self.repeated:
            self._passed.setdefault(sample.prompt, []).append(float(sample.passed))

    @property
    def shared(self) -> int:
        """Whole answers that had company at their server."""
        return self.tally.shared

    @property
    def warming(self) -> Costs:
        """What warming the model cost."""
        return self.tally.warmups

    @property
    def pass_rate(self) -> Estimate | None:
        """The share of its answers that passed all their checks."""
        return share(list(self._passed.values())) if self.repeated else self.tally.pass_rate

    @property
    def score(self) -> Estimate | None:
        """The judge's mean, 0 to 1."""
        return mean(list(self._scores.values()))

    @property
    def ttft(self) -> Spread | None:
        """Seconds to the first visible token."""
        return self.tally.ttft_s

    @property
    def total(self) -> Spread | None:
        """Seconds to the end of the answer."""
        return self.tally.total_s

    @property
    def speed(self) -> Spread | None:
        """Tokens a second while decoding."""
        return spread(self._speed)

    @property
    def free(self) -> bool:
        """Whether all of its answers ran on hardware of one's own."""
        return self.paid.money.free

    @property
    def per_call(self) -> Decimal | None:
        """The mean cost of a whole answer; None as soon as one of them is unknown, or there are none."""
        money, n = self.paid.money, self.paid.sources.total()
        return None if money.usd is None or money.unknown else money.usd / n

    @property
    def at_calls(self) -> Decimal | None:
        """What `CALLS` such calls cost."""
        return None if self.per_call is None else self.per_call * CALLS

    @property
    def beside(self) -> bool:
        """Whether anything was paid that is in no answer's cost."""
        return any(costs.sources.total() for costs in (self.judging, self.warming, self.earlier))

    @property
    def failed(self) -> int:
        """Calls without a whole answer of the model itself."""
        return self.tally.asked - self.tally.answered
