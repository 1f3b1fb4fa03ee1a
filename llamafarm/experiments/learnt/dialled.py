"""The dial over a project's history: what it would have cost and won at each price of quality, and at a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llamafarm.experiments.learnt.learnt import Learnt
from llamafarm.learning import replay
from llamafarm.learning.policy import Dial
from llamafarm.learning.replay import Replayed

EXAMPLES = 5  # prompts that would go elsewhere


@dataclass(frozen=True, slots=True)
class Position:
    """One position of the dial: `shares` of the prompts by named model, `changed` those that go elsewhere than before.

    `usd` is what 10,000 answers would have cost, `score` what those that were judged got (None: none was), `known` how
    many of `all` were judged, and `expected` what all are expected to get.
    """

    dial: Dial
    usd: float
    score: float | None
    expected: float
    known: int
    all: int
    shares: dict[str, float]
    changed: int
    examples: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Dialled:
    """`chosen` among the positions of the `frontier`, dearest first. `met` is False where no dial keeps the budget.

    `unpriced` are the models whose cost nobody knows: at a price of cost they can't be chosen.
    """

    chosen: Position
    best: Position
    frontier: tuple[Position, ...]
    met: bool
    unpriced: tuple[str, ...]


def dialled(learnt: Learnt, budget: float | None = None, per_dollar: float | None = None) -> Dialled | None:
    """The history at a budget for 10,000 answers, in dollars, or at a price, or as the project has it.

    None where there is no comparison to replay, or no second model.
    """
    fit, lanes = learnt.router.fit, learnt.lanes
    if not len(fit.evidence) or len(learnt.models) < 2:  # noqa: PLR2004 - there is nothing to choose
        return None
    start, met = learnt.dial, not learnt.over_budget
    prices = replay.prices(lanes)
    if budget is not None:
        found = replay.for_budget(fit, lanes, start, budget)
        start, met = (replace(start, per_cost=prices[-1]), False) if found is None else (found, True)
    elif per_dollar is not None:
        start, met = replace(start, per_cost=per_dollar), True
    best = replay.replay(fit, lanes, replace(start, per_cost=0.0))
    others = replay.frontier(fit, lanes, start, prices)
    told = [_position(learnt, each, best) for each in (replay.replay(fit, lanes, start), best, *_different(others))]
    return Dialled(told[0], told[1], tuple(told[2:]), met, unpriced(learnt))


def unpriced(learnt: Learnt) -> tuple[str, ...]:
    """The models of which no answer was priced."""
    return tuple(name for name, cost in zip(learnt.models, learnt.lanes.cost, strict=True) if cost != cost)  # noqa: PLR0124 - not a number


def _different(positions: Sequence[Replayed]) -> list[Replayed]:
    found: list[Replayed] = []
    for each in positions:
        if not found or len(each.changed(found[-1])):
            found.append(each)
    return found


def _position(learnt: Learnt, at: Replayed, best: Replayed) -> Position:
    names, rows = learnt.models, learnt.table.rows
    counts = Counter(names[lane] for lane in at.lanes)
    changed = at.changed(best)
    examples = tuple((rows[row].prompt, names[best.lanes[row]], names[at.lanes[row]]) for row in changed[:EXAMPLES])
    return Position(
        dial=at.dial,
        usd=at.cost,
        score=at.score,
        expected=at.expected,
        known=at.known,
        all=len(rows),
        shares={name: counts[name] / len(rows) for name in names},
        changed=len(changed),
        examples=examples,
    )
