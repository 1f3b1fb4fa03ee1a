"""What was said of answers, and what it comes to as one score and one weight for each lane of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from llamafarm.learning.features import Floats
from llamafarm.learning.model import PRIOR_MEAN, PRIOR_WEIGHT

GRADE = 0.5  # what a judge's grade weighs beside a check
CALIBRATED = 20  # answers with a grade and a label of another kind, from which a judge is calibrated
EDGE = 0.02  # from 0 and 1, where odds end

Choice = Literal["best", "tie", "bad"]
Judges = Mapping[str, tuple[float, float]]
Said = tuple[int, str, float, float]  # row, lane, score, weight


@dataclass(frozen=True, slots=True)
class Judged:
    """One lane's answer: the share of its checks that it `passed` (None: no checks), `grades` from 0 to 1 by judge."""

    lane: str
    passed: float | None = None
    grades: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A person's vote on the answers that were shown. `best` is a lane's key; None for a tie, or where all are bad."""

    choice: Choice
    best: str | None
    blind: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison as evidence: `at` is when the newest label came. `answers` are those that were shown."""

    id: str
    at: datetime
    prompt: str
    answers: tuple[Judged, ...]
    vote: Ballot | None = None

    @property
    def judged(self) -> bool:
        """Whether anything was said of it."""
        return self.grounded or any(answer.grades for answer in self.answers)

    @property
    def grounded(self) -> bool:
        """Whether there is more than a judge's word: a check or a vote."""
        return self.vote is not None or any(answer.passed is not None for answer in self.answers)


def cells(
    rows: Sequence[Compared], keys: Sequence[str], judges: Judges, stood: Mapping[str, str] | None = None
) -> tuple[Floats, Floats]:
    """Rows × lanes: the weighted mean of what was said of each answer, and what it weighs.

    `stood` names by the key of an earlier lane the one that stands in its place now. Its labels count for nothing, but
    a vote that had it among its lanes was one on all lanes, as it is for the others.
    """
    at = {key: column for column, key in enumerate(keys)}
    sums, weights = np.zeros((len(rows), len(keys))), np.zeros((len(rows), len(keys)))

    def add(said: Iterator[Said]) -> None:
        for row, lane, score, weight in said:
            if lane in at:
                sums[row, at[lane]] += weight * min(max(score, 0.0), 1.0)
                weights[row, at[lane]] += weight

    for number, row in enumerate(rows):
        add(_answers(number, row, judges))
        add(_whole(number, row, keys, stood or {}))
    means = (sums.sum(0) + PRIOR_WEIGHT * PRIOR_MEAN) / (weights.sum(0) + PRIOR_WEIGHT)
    by_lane = dict(zip(keys, means.tolist(), strict=True))
    for number, row in enumerate(rows):
        add(_partly(number, row, by_lane, stood or {}))
    return np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0), weights


def _answers(number: int, row: Compared, judges: Judges) -> Iterator[Said]:
    """What checks and judges say."""
    for answer in row.answers:
        if answer.passed is not None:
            yield number, answer.lane, answer.passed, 1.0
        if answer.grades:
            told = [_calibrated(judges, judge, grade) for judge, grade in answer.grades.items()]
            yield number, answer.lane, sum(told) / len(told), GRADE


def _whole(number: int, row: Compared, keys: Sequence[str], stood: Mapping[str, str]) -> Iterator[Said]:
    """A vote on all lanes, or that all are bad: a score for each. The weights are those of one duel, which has two."""
    shown = [answer.lane for answer in row.answers]
    if row.vote is not None and _is_whole(row.vote, keys, shown, stood):
        for lane, score in placed(row.vote, shown).items():
            yield number, lane, score, 2 / len(shown)


def _partly(number: int, row: Compared, means: Mapping[str, float], stood: Mapping[str, str]) -> Iterator[Said]:
    """A vote on some of the lanes."""
    every = [answer.lane for answer in row.answers]
    shown = [lane for lane in every if lane in means]
    if row.vote is not None and not _is_whole(row.vote, list(means), every, stood):
        for lane, score, weight in _duels(row.vote, shown, means):
            yield number, lane, score, weight


def _is_whole(vote: Ballot, keys: Sequence[str], shown: Sequence[str], stood: Mapping[str, str]) -> bool:
    return vote.choice == "bad" or set(keys) <= {stood.get(lane, lane) for lane in shown}


def placed(vote: Ballot, shown: Sequence[str]) -> dict[str, float]:
    """What a vote gives each of the lanes that were shown: 1 for the best, ½ each for a tie, else 0."""
    if vote.choice == "best":
        return {lane: float(lane == vote.best) for lane in shown}
    return dict.fromkeys(shown, 0.5 if vote.choice == "tie" else 0.0)


def _duels(vote: Ballot, shown: Sequence[str], means: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """A vote on some of the lanes, as one Newton step of Bradley and Terry's model from the lanes' means.

    Each duel moves both by half its surprise, and weighs its information p(1 - p); all duels of a vote weigh 1.
    """
    pairs = [(one, other) for at, one in enumerate(shown) for other in shown[at + 1 :]]
    if vote.choice == "best":
        pairs = [pair for pair in pairs if vote.best in pair]
    found = []
    for one, other in pairs:
        ahead = _odds(means[one]) - _odds(means[other])
        chance = 1 / (1 + math.exp(-ahead))
        came = 0.5 if vote.choice == "tie" else float(one == vote.best)
        weight = chance * (1 - chance) / len(pairs)
        found.append((one, means[one] + (came - chance) / 2, weight))
        found.append((other, means[other] - (came - chance) / 2, weight))
    return found


def _odds(mean: float) -> float:
    inside = min(max(mean, EDGE), 1 - EDGE)
    return math.log(inside / (1 - inside))


def calibrations(rows: Sequence[Compared]) -> dict[str, tuple[float, float]]:
    """For each judge with enough to go by the line from its grades to what checks and votes say: start and slope."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        ranked = {} if row.vote is None else placed(row.vote, [answer.lane for answer in row.answers])
        for answer in row.answers:
            label = answer.passed if answer.passed is not None else ranked.get(answer.lane)
            for judge, grade in answer.grades.items() if label is not None else ():
                pairs.setdefault(judge, []).append((grade, float(label or 0.0)))
    return {judge: _line(found) for judge, found in pairs.items() if len(found) >= CALIBRATED}


def _line(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Least squares, the slope drawn to 0 as by one grade of a typical spread, and never below it."""
    grades, labels = np.array(pairs).T
    centred = grades - grades.mean()
    slope = max(float(centred @ (labels - labels.mean()) / (centred @ centred + 0.1)), 0.0)
    return float(labels.mean() - slope * grades.mean()), slope


def _calibrated(judges: Mapping[str, tuple[float, float]], judge: str, grade: float) -> float:
    start, slope = judges.get(judge, (0.0, 1.0))
    return min(max(start + slope * grade, 0.0), 1.0)
