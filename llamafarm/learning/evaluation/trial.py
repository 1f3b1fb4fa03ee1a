"""The method tried on outcomes that are known: learn from some prompts, route the rest, tell what that was worth."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamafarm.core.errors import RequestError
from llamafarm.learning import cascade
from llamafarm.learning.cascade import Looked
from llamafarm.learning.evaluation.measures import Interval, apgr, area, calibration_error
from llamafarm.learning.evaluation.outcomes import Outcome
from llamafarm.learning.features import Floats, Prompt, read
from llamafarm.learning.model import Evidence, Fit, fit
from llamafarm.learning.policy import Lanes, Router
from llamafarm.learning.signals.answers import Given, usual_form

TESTED = 5_000  # prompts a draw, of the rest: more would change no figure that is shown
TIMED = 100  # suggestions a draw
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Prompts × lanes with every outcome known. `answers` are those of the cheapest lane, where all are there."""

    texts: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    lanes: tuple[str, ...]
    scores: Floats
    costs: Floats
    answers: tuple[str, ...] | None
    left_out: int

    @classmethod
    def of(cls, lines: Iterable[Outcome]) -> Outcomes:
        """Those of `lines` that have a score of every lane. Raises RequestError where too little is left."""
        every = list(lines)
        lanes = tuple(dict.fromkeys(lane for line in every for lane in line.scores))
        whole = [line for line in every if all(lane in line.scores for lane in lanes)]
        if len(lanes) < 2:  # noqa: PLR2004 - there is nothing to choose
            raise RequestError("There is one lane at most: a router needs two.", hint='Write "scores" of two or more.')
        if len(whole) < 2:  # noqa: PLR2004 - one to learn from and one to test on
            raise RequestError(
                f"Of {len(every)} prompts {len(whole)} have a score of every lane, and two are needed.",
                hint=f"The lanes are {', '.join(lanes)}.",
            )
        costs = _costs(whole, lanes)
        cheapest = lanes[int(costs.mean(0).argmin())]
        told = tuple(line.answers[cheapest] for line in whole if cheapest in line.answers)
        texts = tuple(line.prompt for line in whole)
        return cls(
            texts,
            tuple(map(read, texts)),
            lanes,
            np.array([[line.scores[lane] for lane in lanes] for line in whole]),
            costs,
            told if len(told) == len(whole) else None,
            len(every) - len(whole),
        )

    def shuffled(self, seed: int) -> Outcomes:
        """The same with each prompt's scores, all lanes' together, given to another: nothing is left to be learnt."""
        order = np.random.default_rng([seed, 1]).permutation(len(self.prompts))
        return Outcomes(
            self.texts, self.prompts, self.lanes, self.scores[order], self.costs, self.answers, self.left_out
        )


def _costs(lines: Sequence[Outcome], lanes: Sequence[str]) -> Floats:
    """What each answer cost; one that is not told costs what the lane's others do on average."""
    costs = np.array([[line.cost.get(lane, np.nan) for lane in lanes] for line in lines])
    known = np.isfinite(costs)
    if not known.any():
        return np.ones_like(costs)
    for at, lane in enumerate(lanes):
        if not known[:, at].any():
            raise RequestError(f"No line tells what {lane} cost.", hint='Write it under "cost" as for the others.')
        costs[~known[:, at], at] = costs[known[:, at], at].mean()
    return costs


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw of prompts to learn from, tested on the rest. Figures that can't be told are None."""

    apgr: float | None
    area: float | None
    cascade_apgr: float | None
    constant: float | None
    length: float | None
    random: float | None
    gate_open: bool
    loss: float
    ece: float
    fit_s: float
    suggest_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What all draws with `n` prompts to learn from came to.

    `apgr` is of two lanes, `area` of any number. `constant` (each lane's mean at every prompt), `length` (of the prompt
    alone; of two lanes) and `random` are the same for routers that know nothing more: APGR of two lanes, areas of more.
    `loss` is by how much the router, with its gate, stayed behind the incumbent in score, at no price of cost; below
    zero it was ahead.
    """

    n: int
    draws: int
    apgr: Interval | None
    area: Interval | None
    cascade_apgr: Interval | None
    constant: float | None
    length: float | None
    random: float | None
    gate_open_share: float
    loss: float
    ece: float
    fit_s: float
    suggest_p95_s: float


def evaluate(outcomes: Outcomes, n: int, draws: int, seed: int) -> Result:
    """Draw `n` prompts to learn from, `draws` times, and test on the rest. RequestError where no rest is left."""
    if n >= len(outcomes.prompts):
        raise RequestError(
            f"Of {len(outcomes.prompts):,} prompts {n:,} can't be learnt from: none would be left to test on.",
            hint="Name smaller numbers with --n.",
        )
    looked = _look(outcomes)
    made = [_draw(outcomes, looked, n, np.random.default_rng([seed, n, each])) for each in range(draws)]
    spans = np.array([span for draw in made for span in draw.suggest_s])
    return Result(
        n=n,
        draws=draws,
        apgr=Interval.of([draw.apgr for draw in made]),
        area=Interval.of([draw.area for draw in made]),
        cascade_apgr=Interval.of([draw.cascade_apgr for draw in made]),
        constant=_mean([draw.constant for draw in made]),
        length=_mean([draw.length for draw in made]),
        random=_mean([draw.random for draw in made]),
        gate_open_share=float(np.mean([draw.gate_open for draw in made])),
        loss=float(np.mean([draw.loss for draw in made])),
        ece=float(np.mean([draw.ece for draw in made])),
        fit_s=float(np.median([draw.fit_s for draw in made])),
        suggest_p95_s=float(np.quantile(spans, 0.95)),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _draw(outcomes: Outcomes, looked: Looked | None, n: int, rng: np.random.Generator) -> Draw:
    order = rng.permutation(len(outcomes.prompts))
    learnt, rest = order[:n], order[n : n + TESTED]
    prompts = [outcomes.prompts[row] for row in learnt]
    scores = outcomes.scores[learnt]
    costs = outcomes.costs.mean(0)
    began = time.perf_counter()
    made = fit(Evidence.of(prompts, scores, np.ones_like(scores), costs))
    router = Router.of(made, Lanes.of(costs))
    fit_s = time.perf_counter() - began
    tested = [outcomes.prompts[row] for row in rest]
    expected = made.expect(tested)
    truth, paid, rows = outcomes.scores[rest], outcomes.costs[rest], np.arange(len(rest))
    standing = float(truth[:, router.incumbent].mean())
    weak, strong = _tiers(costs, outcomes.scores)
    two = len(outcomes.lanes) == 2  # noqa: PLR2004 - APGR is of a weak and a strong lane
    lengths = np.array([prompt.length for prompt in tested])
    return Draw(
        apgr=apgr(expected.mean[:, strong] - expected.mean[:, weak], truth[:, weak], truth[:, strong]) if two else None,
        area=area(expected.mean, costs, truth, paid),
        cascade_apgr=_cascaded(made, expected.mean, outcomes, looked, learnt, rest),
        constant=0.5 if two else area(np.tile(made.means, (len(rest), 1)), costs, truth, paid),
        length=apgr(lengths, truth[:, weak], truth[:, strong]) if two else None,
        random=0.5 if two else area(rng.random(truth.shape), costs, truth, paid),
        gate_open=router.closed is None,
        loss=standing - float(truth[rows, router.route(expected)].mean()),
        ece=calibration_error(expected.chance, truth),
        fit_s=fit_s,
        suggest_s=_timed(router, [outcomes.texts[row] for row in rest[:TIMED]]),
    )


def _tiers(costs: Floats, scores: Floats) -> tuple[int, int]:
    """The cheap and the dear one of two lanes; where they cost the same, the worse and the better."""
    by = costs if costs[0] != costs[1] else scores.mean(0)
    return int(by.argmin()), int(by.argmax()) if by[0] != by[1] else 1


def _look(outcomes: Outcomes) -> Looked | None:
    """The cheap lane's answers as a cascade sees them. Its usual form is told from answers alone, without a label."""
    if outcomes.answers is None:
        return None
    return cascade.look(outcomes.texts, [Given(each) for each in outcomes.answers], usual_form(outcomes.answers))


def _cascaded(
    made: Fit, expected: Floats, outcomes: Outcomes, looked: Looked | None, learnt: Rows, rest: Rows
) -> float | None:
    """APGR where the cheapest lane answers first, and the dear one where the most is to be gained."""
    if looked is None:
        return None
    cheap = int(outcomes.costs.mean(0).argmin())
    others = np.where(np.arange(len(outcomes.lanes)) == cheap, -np.inf, made.means + 1e-9 * made.evidence.costs)
    pair = np.array([cheap, int(others.argmax())], np.intp)
    learner = cascade.learn(looked.rows(learnt), made.without[:, pair], outcomes.scores[np.ix_(learnt, pair)])
    gain = learner.gain(looked.rows(rest), expected[:, pair])
    return apgr(gain, outcomes.scores[rest, pair[0]], outcomes.scores[rest, pair[1]])


def _timed(router: Router, texts: Sequence[str]) -> tuple[float, ...]:
    """Seconds that each suggestion took, from the text on."""
    spans = []
    for text in texts:
        began = time.perf_counter()
        router.suggest(read(text))
        spans.append(time.perf_counter() - began)
    return tuple(spans)
