"""Adds up the answers of one model one by one, with two numbers kept of each."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from llamafarm.core.conditions import CautionKind
from llamafarm.core.figures import Estimate, Money
from llamafarm.core.types import CUTS, Cost, CostSource, Count
from llamafarm.experiments.stats.bootstrap import wilson
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.spread import Spread, spread


@dataclass(slots=True)
class Sum:
    """Token counts added up. `unknown` of the answers told none; `estimated` as soon as one of them is."""

    value: int = 0
    known: int = 0
    unknown: int = 0
    estimated: bool = False

    def add(self, count: Count | None) -> None:
        """Take the next."""
        if count is None:
            self.unknown += 1
            return
        self.value += count.value
        self.known += 1
        self.estimated = self.estimated or count.source == "estimated"

    @property
    def count(self) -> Count | None:
        """The sum of what is known; None where nothing is."""
        return Count(self.value, "estimated" if self.estimated else "reported") if self.known else None


@dataclass(slots=True)
class Costs:
    """Costs added up, by where they come from; those that nobody told are counted, and never zero."""

    usd: Decimal = Decimal(0)
    estimated: bool = False
    sources: Counter[CostSource] = field(default_factory=Counter)

    def add(self, cost: Cost) -> None:
        """Take the next."""
        self.sources[cost.source] += 1
        if cost.usd is not None:
            self.usd += cost.usd
            self.estimated = self.estimated or cost.estimated

    @property
    def money(self) -> Money:
        """The sum."""
        unknown, all_of_them = self.sources["unknown"], self.sources.total()
        free = 0 < all_of_them == self.sources["free"]
        return Money(self.usd if all_of_them > unknown else None, unknown, self.estimated, free)


CAUTIONS: Mapping[CautionKind, str] = {
    "prompt_cut": "the prompt was cut, or probably was",
    "answer_cut": "the answer may have been cut, though the server does not say so",
    "repeated": "the server ended the answer, because it repeated one token",
    "tools_ignored": "the model was not told of its tools",
    "other_model": "the server named another model than the one that was asked",
}


@dataclass(slots=True)
class Tally:
    """The answers of one named model.

    asked: calls that ended. answered: whole answers of the model itself. stood_in: rows that a fallback answered.
    failed: no whole answer, by the error's kind in `faults`. cut: answers that the token limit cut. passed and refused:
    answers of the model that passed all their checks, or did not; unchecked: those whose checks could not be told.
    shared: answers whose server other requests used too. waited: those that waited in the server's own queue, which is
    in no time here. late: those whose times the playground's own lateness makes doubtful. doubted: calls whose server
    told what can't be, so that it was not used. cautions: calls by the kind of their cautions. retried, reconnected:
    calls with failed tries in them, and with a kept connection that was closed, whoever answered; lost_s: what that
    took, and models that failed before. warmups: what warming the model cost, which is in no other sum. Tokens and
    costs are those of all calls, times those of answers with nothing of another's in them: no failed try, no loading of
    the model, no wait for a place, no closed connection.
    """

    asked: int = 0
    answered: int = 0
    stood_in: int = 0
    failed: int = 0
    cut: int = 0
    passed: int = 0
    refused: int = 0
    unchecked: int = 0
    shared: int = 0
    waited: int = 0
    late: int = 0
    doubted: int = 0
    cautions: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    reconnected: int = 0
    lost_s: float = 0.0
    given: Sum = field(default_factory=Sum)
    made: Sum = field(default_factory=Sum)
    costs: Costs = field(default_factory=Costs)
    warmups: Costs = field(default_factory=Costs)
    faults: Counter[str] = field(default_factory=Counter)
    _ttft_s: array[float] = field(default_factory=lambda: array("d"))
    _total_s: array[float] = field(default_factory=lambda: array("d"))

    def add(self, sample: Sample) -> None:
        """Take the next answer."""
        reply = sample.reply
        self.asked += 1
        self.given.add(reply.usage.input)
        self.made.add(reply.usage.output)
        self.costs.add(reply.cost)
        self.doubted += bool(reply.usage.doubts)
        self.cautions.update(caution.kind for caution in reply.cautions)
        self.retried += bool(reply.retries)
        self.reconnected += bool(reply.reconnects)
        self.lost_s += reply.lost_s
        if reply.warmup is not None and reply.warmup.paid:
            self.warmups.add(reply.warmup.cost)
        if reply.status != "done":
            self.failed += 1
            self.faults[reply.failure.kind if reply.failure else reply.status] += 1
        elif not sample.answered:
            self.stood_in += 1
        else:
            self._answer(sample)

    def _answer(self, sample: Sample) -> None:
        self.answered += 1
        self.cut += sample.reply.finish_reason in CUTS
        self.passed += sample.passed is True
        self.refused += sample.passed is False
        self.unchecked += sample.passed is None and bool(sample.notes)
        self.shared += sample.reply.shared is True
        self.waited += sample.waited
        self.late += sample.late
        if (ttft := sample.ttft_s) is not None:
            self._ttft_s.append(ttft)
        if (total := sample.total_s) is not None:
            self._total_s.append(total)

    @property
    def ttft_s(self) -> Spread | None:
        """Seconds to the first visible token. Sorts all of them: not for every frame of a long run."""
        return spread(self._ttft_s)

    @property
    def total_s(self) -> Spread | None:
        """Seconds to the end of the answer."""
        return spread(self._total_s)

    @property
    def pass_rate(self) -> Estimate | None:
        """The share of the model's answers that passed, of those whose checks told yes or no; Wilson's interval."""
        told = self.passed + self.refused
        return wilson(self.passed / told, told) if told else None


def all_cautions(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Those of several models or cells together."""
    return sum((Counter(each) for each in counts), Counter())


def cautioned(counts: Mapping[str, int]) -> list[str]:
    """How many answers have cautions, a sentence for each kind; `counts` by kind."""
    return [f"Of {count:,} calls {CAUTIONS[kind]}." for kind in CAUTIONS if (count := counts.get(kind, 0))]


def late_note(late: int, answered: int) -> str:
    """Of how many answers the times are doubtful, in a sentence; empty where of none."""
    if not late:
        return ""
    return f"For {late:,} of {answered:,} answers the playground itself was late: their times may be too long."


def count_notes(waited: int, doubted: int, cautions: Mapping[str, int]) -> list[str]:
    """Of how many answers the times are without a wait, of how many calls a count was not used, and how many have
    cautions, in sentences.
    """
    told = []
    if waited:
        told.append(f"{waited:,} answers waited at the server for others: the times are without that.")
    if doubted:
        told.append(f"Of {doubted:,} calls the server counted what can't be: that was not used.")
    return told + cautioned(cautions)
