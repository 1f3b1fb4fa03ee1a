"""What the answers of one cell (a model at one value of the parameter) show together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean

from llamafarm.core.figures import Estimate, Money
from llamafarm.core.types import CUTS
from llamafarm.experiments.stats.bootstrap import Draw, estimate, mean, middle, share
from llamafarm.experiments.stats.sample import Sample, money
from llamafarm.experiments.stats.text import Answer, agrees, answers, distinct, similarity, words

MOST_COMPARED = 40  # answers to one prompt whose every pair is compared: 780 pairs


@dataclass(frozen=True, slots=True)
class Summary:
    """The measures of one cell; None where there is nothing to measure.

    agreement: the share of the most common answer, by prompt, in the mean. similarity: the mean Jaccard index of two
    answers to one prompt. distinct1, distinct2: by prompt, in the mean. length: words. validity: the share that passed
    its checks. score: the judge's mean, 0 to 1. ttft_s, tokens_per_s: medians. repeats: the fewest answers to a prompt.
    cut: answers that the token limit cut. shared: those whose server other requests used too. cold: those whose model
    had to be loaded, so that their TTFT is in no median. retried: those after failed tries, likewise; reconnected:
    those for which a kept connection was closed, whose medians leave out what that took; lost_s: the seconds that went
    to all of it. unchecked, unscored: answers whose check or judge gave no result. waited: answers that waited in the
    server's own queue, which is in no time here; late: those whose times our own lateness makes doubtful; doubted:
    calls whose server told what can't be, so that it was not used; cautions: calls by the kind of their cautions.
    warmups: what warming models before them cost, which is in no other sum.
    """

    asked: int
    answered: int
    repeats: int
    cut: int
    shared: int
    cold: int
    retried: int
    reconnected: int
    lost_s: float
    unchecked: int
    unscored: int
    agreement: Estimate | None
    similarity: Estimate | None
    distinct1: Estimate | None
    distinct2: Estimate | None
    length: Estimate | None
    validity: Estimate | None
    score: Estimate | None
    ttft_s: Estimate | None
    tokens_per_s: Estimate | None
    cost: Money
    judge_cost: Money | None
    warmups: Money | None
    answers: tuple[tuple[Answer, ...], ...]
    waited: int = 0
    late: int = 0
    doubted: int = 0
    cautions: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many were asked and have no whole answer of the model itself."""
        return self.asked - self.answered


def summary(samples: Sequence[Sample], prompts: int) -> Summary:
    """The measures of `samples`, each an answer to one of so many prompts. Takes a while: not for the event loop."""
    by_prompt: list[list[Sample]] = [[] for _ in range(prompts)]
    for sample in samples:
        if sample.answered:
            by_prompt[sample.prompt].append(sample)
    texts = [[sample.reply.text for sample in group] for group in by_prompt]
    tokens = [[words(text) for text in group] for group in texts]
    answered = [sample for group in by_prompt for sample in group]
    judged = [sample.judged for sample in samples if sample.judged is not None]
    warmed = [sample.reply.warmup.cost for sample in samples if sample.reply.warmup and sample.reply.warmup.paid]
    validity = _values(by_prompt, lambda each: None if each.passed is None else float(each.passed))
    return Summary(
        asked=len(samples),
        answered=len(answered),
        repeats=min(map(len, by_prompt), default=0),
        cut=sum(sample.reply.finish_reason in CUTS for sample in answered),
        shared=sum(bool(sample.reply.shared) for sample in answered),
        cold=sum(sample.cold for sample in answered),
        waited=sum(sample.waited for sample in answered),
        late=sum(sample.late for sample in answered),
        doubted=sum(bool(sample.reply.usage.doubts) for sample in samples),
        cautions=Counter(caution.kind for sample in samples for caution in sample.reply.cautions),
        retried=sum(bool(sample.reply.retries) for sample in answered),
        reconnected=sum(bool(sample.reply.reconnects) for sample in answered),
        lost_s=sum(sample.reply.lost_s for sample in samples),
        unchecked=sum(sample.passed is None and bool(sample.notes) for sample in answered),
        unscored=sum(each.score is None for each in judged),
        agreement=share([agrees(group) for group in texts if len(group) > 1]),
        similarity=_similarity(tokens),
        distinct1=_distinct(tokens, 1),
        distinct2=_distinct(tokens, 2),
        length=mean([[float(len(each)) for each in group] for group in tokens]),
        validity=share(validity),
        score=mean(_values(by_prompt, lambda each: each.judged.score if each.judged else None)),
        ttft_s=middle(_values(by_prompt, lambda each: each.ttft_s)),
        tokens_per_s=middle(_values(by_prompt, lambda each: each.reply.timings.tokens_per_s if each.timed else None)),
        cost=money([sample.reply.cost for sample in samples]),
        judge_cost=money([each.cost for each in judged]) if judged else None,
        warmups=money(warmed) if warmed else None,
        answers=tuple(answers(group) for group in texts),
    )


def _values(groups: Sequence[Sequence[Sample]], value: Callable[[Sample], float | None]) -> list[list[float]]:
    return [[found for each in group if (found := value(each)) is not None] for group in groups]


def _similarity(tokens: Sequence[Sequence[Sequence[str]]]) -> Estimate | None:
    """The mean over prompts of the mean over pairs. In a resample an answer is not compared with itself."""
    groups = [[frozenset(each) for each in group[:MOST_COMPARED]] for group in tokens if len(group) > 1]
    if not groups:
        return None
    tables = [
        {pair: similarity(group[pair[0]], group[pair[1]]) for pair in combinations(range(len(group)), 2)}
        for group in groups
    ]

    def of(draw: Draw) -> float | None:
        means = [found for prompt, chosen in draw if (found := _pairs(tables[prompt], chosen)) is not None]
        return fmean(means) if means else None

    return estimate(fmean(fmean(table.values()) for table in tables), [len(group) for group in groups], of)


def _pairs(table: dict[tuple[int, int], float], chosen: Sequence[int]) -> float | None:
    """The mean over the pairs of `chosen`, each as often as it was drawn."""
    counts = {at: chosen.count(at) for at in sorted(set(chosen))}
    total = weight = 0.0
    for one, other in combinations(counts, 2):
        times = counts[one] * counts[other]
        total += times * table[one, other]
        weight += times
    return total / weight if weight else None


def _distinct(tokens: Sequence[Sequence[Sequence[str]]], n: int) -> Estimate | None:
    groups = [group for group in tokens if len(group) > 1]
    found = [each for group in groups if (each := distinct(group, n)) is not None]
    if not found:
        return None

    def of(draw: Draw) -> float | None:
        values = [distinct([groups[prompt][at] for at in chosen], n) for prompt, chosen in draw]
        known = [each for each in values if each is not None]
        return fmean(known) if known else None

    return _within_one(estimate(fmean(found), [len(group) for group in groups], of, centred=True))


def _within_one(found: Estimate) -> Estimate:
    if found.low is None or found.high is None:
        return found
    return Estimate(found.value, max(found.low, 0.0), min(found.high, 1.0), found.n)
