"""The state of a project's evidence: what there is, what is missing, and whether it is worth something yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llamafarm.experiments.learnt.learnt import Learnt
from llamafarm.learning.least import FEWEST
from llamafarm.learning.policy import ERRORS


@dataclass(frozen=True, slots=True)
class Standing:
    """One named model: how many of its answers have a label, its mean score drawn to the middle, and its typical cost.

    `new`: another model stood behind the name before, whose mean it starts from. `usd` is None where it is not known.
    """

    model: str
    labels: int
    mean: float
    usd: float | None
    new: bool


@dataclass(frozen=True, slots=True)
class State:
    """Comparisons that teach, by what was said of them (one may be in two), and what follows.

    `missing` says in sentences what would have to come before the learnt strategy suggests anything.
    """

    comparisons: int
    needed: int
    votes: int
    blind_votes: int
    checks: int
    judged: int
    standings: tuple[Standing, ...]
    incumbent: str
    open: bool
    gain: float
    error: float
    missing: tuple[str, ...]


def state_of(learnt: Learnt) -> State:
    """What there is."""
    rows, router = learnt.table.rows, learnt.router
    return State(
        comparisons=router.comparisons,
        needed=FEWEST,
        votes=sum(row.vote is not None for row in rows),
        blind_votes=sum(row.vote is not None and row.vote.blind for row in rows),
        checks=sum(any(answer.passed is not None for answer in row.answers) for row in rows),
        judged=sum(any(answer.grades for answer in row.answers) for row in rows),
        standings=_standings(learnt),
        incumbent=learnt.incumbent,
        open=learnt.open,
        gain=router.gate.gain,
        error=router.gate.error,
        missing=tuple(_missing(learnt)),
    )


def _standings(learnt: Learnt) -> tuple[Standing, ...]:
    evidence, new = learnt.table.evidence, learnt.new
    labels = (evidence.weights > 0).sum(0)
    return tuple(
        Standing(name, int(labels[at]), float(mean), None if cost != cost else float(cost), name in new)  # noqa: PLR0124 - not a number
        for at, (name, mean, cost) in enumerate(
            zip(learnt.models, learnt.router.fit.means, learnt.lanes.cost, strict=True)
        )
    )


def _missing(learnt: Learnt) -> Sequence[str]:
    router, found = learnt.router, list[str]()
    if len(learnt.models) < 2:  # noqa: PLR2004 - there is nothing to choose
        return ["A second model that can be used: there is nothing to choose."]
    if router.comparisons < FEWEST:
        more = FEWEST - router.comparisons
        found.append(
            f"{more} more comparison{'' if more == 1 else 's'} with a vote, or with checks, on two models or more."
        )
    elif not router.gate.open:
        found.append(
            f"A gain that is more than chance: it is {router.gate.gain:+.3f} a prompt, and would have to be above "
            f"{ERRORS * router.gate.error:.3f}. From 100 to 300 comparisons on it most often shows, if there is any."
        )
    labels = (learnt.table.evidence.weights > 0).sum(0)
    for name, count in zip(learnt.models, labels, strict=True):
        if router.comparisons and not count:
            found.append(f"Any label of {name}: compare it with the others too.")
    if learnt.over_budget:
        found.append("A budget that can be kept: even the cheapest model costs more.")
    return found
