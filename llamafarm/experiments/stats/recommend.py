"""Which value of the parameter meets a task's aim, and whether there are answers enough to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.guidelines import Aim
from llamafarm.experiments.stats.summary import Summary

Certainty = Literal["clear", "tied", "too few"]
FEWEST = 5  # answers to each prompt
FLOOR = 0.8  # of validity or of the judge's score, below which variety is worth nothing


@dataclass(frozen=True, slots=True)
class Tried:
    """One value of the parameter, and what the answers with it show."""

    value: float
    summary: Summary


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to set. `value` is None where nothing can be recommended; `why` says it in a sentence.

    `measure` is what decided, `figure` its estimate at `value`. `rivals` are values that can't be told apart from it.
    clear: it is told apart from all others. tied: from some, and not from `rivals`. too few: from none, or there are
    too few answers; then there is no `value`.
    """

    certainty: Certainty
    value: float | None
    measure: str
    figure: Estimate | None
    rivals: tuple[float, ...]
    why: str


def recommend(tried: Sequence[Tried], aim: Aim, *, floor: float = FLOOR) -> Recommendation:
    """The value that meets `aim` best.

    sure: of the values whose checks (else the judge's score) can't be told apart from the best, the one with the
    highest agreement. varied: of those whose checks or score reach `floor`, the one with the highest distinct-2;
    without checks and judge nothing, since diversity alone rewards nonsense. Of equal ones the lower value.
    """
    tried = sorted(tried, key=lambda each: each.value)
    short = _too_few(tried)
    if short:
        return _nothing(short)
    good = {each.value: _goodness(each.summary) for each in tried}
    guarded = all(found is not None for found in good.values())
    if aim == "varied":
        if not guarded:
            return _nothing("A varied aim needs a check or a judge: diversity alone would reward nonsense.")
        fit = [each for each in tried if (found := good[each.value]) is not None and found.value >= floor]
        if not fit:
            return _nothing(f"No value reaches {floor:.0%} of passed checks or of the judge's best score.")
        return _best(fit, tried, "diversity (distinct-2)", {each.value: each.summary.distinct2 for each in fit})
    fit = list(tried)
    if guarded:
        top = max((found for found in good.values() if found is not None), key=lambda each: each.value)
        fit = [each for each in tried if (found := good[each.value]) is not None and found.overlaps(top)]
        if len(fit) == 1:
            return _best(list(tried), tried, _measure(tried[0].summary), good)
    return _best(fit, tried, "agreement", {each.value: each.summary.agreement for each in fit})


def _too_few(tried: Sequence[Tried]) -> str:
    if len(tried) < 2:  # noqa: PLR2004 - one value has nothing beside it
        return "One value alone has nothing to be compared with."
    fewest = min(each.summary.repeats for each in tried)
    if fewest < FEWEST:
        return f"Too few repeats to tell: {fewest} answers to a prompt at the least, {FEWEST} are needed."
    return ""


def _goodness(found: Summary) -> Estimate | None:
    return found.validity or found.score


def _measure(found: Summary) -> str:
    return "checks passed" if found.validity else "the judge's score"


def _nothing(why: str) -> Recommendation:
    return Recommendation("too few", None, "", None, (), why)


def _best(
    fit: Sequence[Tried], tried: Sequence[Tried], measure: str, figures: dict[float, Estimate | None]
) -> Recommendation:
    """The value of `fit` with the highest figure; those of `tried` that are not in `fit` were told apart before."""
    known = {each.value: found for each in fit if (found := figures[each.value]) is not None}
    if not known:
        return _nothing(f"There is no {measure} to compare.")
    value = max(known, key=lambda each: (known[each].value, -each))
    best = known[value]
    rivals = tuple(each for each in known if each != value and known[each].overlaps(best))
    if len(rivals) == len(tried) - 1:
        return Recommendation(
            "too few", None, measure, best, rivals, f"Too few repeats to tell: by {measure} all values may be the same."
        )
    if rivals:
        others = ", ".join(f"{each:g}" for each in rivals)
        why = f"Highest {measure}; too few repeats to tell it from {others}."
        return Recommendation("tied", value, measure, best, rivals, why)
    return Recommendation("clear", value, measure, best, (), f"Highest {measure}, told apart from all other values.")
