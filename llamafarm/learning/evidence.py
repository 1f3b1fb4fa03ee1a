"""From what was said of answers to a table of comparisons × lanes: checks, grades and votes as one likelihood."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from llamafarm.core.types import JsonValue
from llamafarm.learning.features import Floats, Prompt, read, stacked
from llamafarm.learning.labels import Compared, calibrations, cells
from llamafarm.learning.model import PRIOR_MEAN, PRIOR_WEIGHT, Evidence, Start, starts_of

MOST, NEWEST = 1_500, 1_000  # comparisons that are learnt from; the newest of them, and older ones unlike the rest
LOOKED_AT = 6_000  # comparisons, the newest, among which those are chosen
OLD_MEAN = 4.0  # labels that the mean of a lane's earlier model counts as
NEW = 5.0  # labels below which a lane that has another's mean is called new

Votes = Literal["all", "blind", "open"]


def lane_key(provider: str, model_id: str, system: str | None, parameters: Mapping[str, JsonValue]) -> str:
    """The digest by which a lane is known: with another model, system prompt or parameters it is another lane."""
    told = [provider, model_id, system or "", dict(parameters)]
    text = json.dumps(told, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Lane:
    """A column: its `key`, the `cost` of a typical answer, and the key of another lane that stood there `before`.

    `earlier` are those of all that stood there before that one.
    """

    key: str
    cost: float = math.nan
    before: str | None = None
    earlier: tuple[str, ...] = ()

    @property
    def stood(self) -> dict[str, str]:
        """By the key of each lane that stood there the one that stands there now."""
        return dict.fromkeys((*self.earlier, *((self.before,) if self.before else ())), self.key)


@dataclass(frozen=True, slots=True)
class Table:
    """Evidence, the comparisons that its rows are, and the keys of lanes that are `new`."""

    evidence: Evidence
    rows: tuple[Compared, ...]
    new: frozenset[str]


def table(compared: Sequence[Compared], lanes: Sequence[Lane], votes: Votes = "all") -> Table:
    """The evidence of `compared` on `lanes`, a row for each comparison that says something, oldest first.

    Labels of other lanes count for nothing, but for the mean of the lane before. `votes` are those that count.
    """
    rows = [_only(each, votes) for each in sorted(compared, key=lambda each: (each.at, each.id))]
    rows = [
        row for row in rows if row.vote or any(answer.passed is not None or answer.grades for answer in row.answers)
    ]
    prompts = [read(row.prompt) for row in rows[-LOOKED_AT:]]
    kept = _kept(prompts)
    rows, prompts = [rows[-LOOKED_AT:][at] for at in kept], [prompts[at] for at in kept]
    before = [lane.before for lane in lanes if lane.before is not None]
    keys = [lane.key for lane in lanes]
    judges = calibrations(rows)
    stood = {old: key for lane in lanes for old, key in lane.stood.items() if old not in keys}
    scores, weights = cells(rows, keys, judges, stood)
    old_scores, old_weights = cells(rows, before, judges)
    costs = np.array([lane.cost for lane in lanes])
    starts = list(starts_of(costs))
    for at, lane in enumerate(lanes):
        if lane.before is not None:
            column = before.index(lane.before)
            starts[at] = _old(old_scores[:, column], old_weights[:, column])
    labels = weights.sum(0)
    new = frozenset(lane.key for at, lane in enumerate(lanes) if lane.before is not None and labels[at] < NEW)
    grounded = np.array([row.grounded for row in rows], np.bool_)
    return Table(Evidence(tuple(prompts), scores, weights, costs, tuple(starts), grounded), tuple(rows), new)


def _only(row: Compared, votes: Votes) -> Compared:
    if votes == "all" or row.vote is None or row.vote.blind == (votes == "blind"):
        return row
    return Compared(row.id, row.at, row.prompt, row.answers)


def _kept(prompts: Sequence[Prompt]) -> list[int]:
    """Which rows are learnt from: the newest, and of the older ones each time the one that is least like all so far.

    Gonzalez, Clustering to Minimize the Maximum Intercluster Distance (1985).
    """
    count = len(prompts)
    if count <= MOST:
        return list(range(count))
    _, words = stacked(prompts)
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
    older, newest = words[: count - NEWEST], words[count - NEWEST :]
    nearness = (older @ newest.T).max(1)
    chosen: list[int] = []
    for _ in range(MOST - NEWEST):
        at = int(nearness.argmin())
        chosen.append(at)
        nearness = np.maximum(nearness, older @ older[at])
        nearness[at] = np.inf
    return [*sorted(chosen), *range(count - NEWEST, count)]


def _old(scores: Floats, weights: Floats) -> Start:
    total = float(weights.sum())
    mean = (float(scores @ weights) + PRIOR_WEIGHT * PRIOR_MEAN) / (total + PRIOR_WEIGHT)
    return Start(mean, OLD_MEAN)
