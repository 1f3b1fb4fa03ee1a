"""What a project's history has taught: a router over its named models, which tells what it suggests and why."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from llamafarm.config.model import NamedModel, Project, Routing
from llamafarm.core.characters import excerpt
from llamafarm.core.types import JsonValue, Route
from llamafarm.experiments.learnt.gathered import Gathered, Heard, Waiting
from llamafarm.learning import replay
from llamafarm.learning.evidence import Lane, Table, lane_key, table
from llamafarm.learning.features import read
from llamafarm.learning.labels import Ballot
from llamafarm.learning.least import FEWEST
from llamafarm.learning.model import Fit, fit
from llamafarm.learning.policy import SUREST, Dial, Lanes, Router, Suggestion
from llamafarm.learning.telling import most_telling

STRATEGY = "learned"
NEXT = 10  # prompts that are named to be judged next
NEAREST = 3
SHOWN = 60  # letters of a prompt in a reason
SURE = 0.99  # what is told at the most: no evidence makes certain


@dataclass(frozen=True)
class Learnt:
    """A router over the named models `models`, the columns of `table`, at the project's dial.

    `digest` is that of all it rests on, `known_until` when the newest label of it came. `over_budget`: the project's
    budget is below what the cheapest lane costs.
    """

    project: Project
    models: tuple[str, ...]
    keys: tuple[str, ...]
    table: Table
    lanes: Lanes
    dial: Dial
    router: Router
    digest: str
    known_until: datetime | None
    gathered: Gathered
    over_budget: bool = False

    @property
    def open(self) -> bool:
        """Whether there is enough evidence, and the gate is open."""
        return len(self.models) > 1 and self.router.closed is None

    @property
    def incumbent(self) -> str:
        """The named model that is best on the whole; without any label the project's default."""
        default = self.project.default_model
        nothing = self.router.comparisons == 0 and default in self.models
        return default if nothing else self.models[self.router.incumbent]

    def route(self, prompt: str) -> Route:
        """The model for a prompt, how sure that is, and on what it rests."""
        if len(self.models) < 2:  # noqa: PLR2004 - there is nothing to choose
            only = self.models[0] if self.models else self.project.default_model
            return Route(STRATEGY, only, "There is no second model that can be used: nothing to choose.")
        found = self.router.suggest(read(prompt), neighbours=NEAREST)
        model = self.incumbent if found.lane == found.incumbent else self.models[found.lane]
        return Route(STRATEGY, model, self._why(found, model), self._signals(found))

    def _why(self, found: Suggestion, model: str) -> str:
        count = _comparisons(found.comparisons)
        if found.doubt == "few":
            least = f"No evidence yet: {found.comparisons} of {FEWEST} comparisons"
            best = "the project's default" if not found.comparisons else "the best on average so far"
            return f"{least} → {model} ({best})."
        if found.doubt == "gate":
            return f"From {count} nothing shows that one prompt needs another model than the next → {model}, the best on average."  # noqa: E501 - one sentence
        nearest = self._nearest(found)
        if found.doubt == "unsure":
            pick = self.models[found.pick]
            return f"{pick} may be better, {found.probability:.0%} sure, and {SUREST:.0%} are asked → {model}, the best on average, from {count}{nearest}."  # noqa: E501 - one sentence
        if found.lane == found.incumbent:
            return f"{model}, the best on average and here, from {count}{nearest}."
        sure = f"{min(found.probability, SURE):.0%} sure"
        return f"{model}, {sure} to be better than {self.incumbent}, from {count}{nearest}."

    def _nearest(self, found: Suggestion) -> str:
        prompts = [excerpt(self.table.rows[each.row].prompt, SHOWN) for each in found.nearest]
        return "; nearest: " + ", ".join(f"“{text}”" for text in prompts) if prompts else ""

    def _signals(self, found: Suggestion) -> dict[str, JsonValue]:
        gate = self.router.gate
        return {
            "comparisons": found.comparisons,
            "needed": FEWEST,
            "probability": found.probability,
            "pick": self.models[found.pick],
            "incumbent": self.incumbent,
            "doubt": found.doubt,
            "gate": {"open": gate.open, "gain": gate.gain, "error": gate.error, "counted": gate.counted},
            "per_dollar": self.dial.per_cost,
            "expected": {name: float(each) for name, each in zip(self.models, found.expected, strict=True)},
            "nearest": [
                {
                    "comparison": self.table.rows[each.row].id,
                    "prompt": excerpt(self.table.rows[each.row].prompt, SHOWN),
                    "nearness": each.nearness,
                }
                for each in found.nearest
            ],
            "known_until": self.known_until.isoformat() if self.known_until else None,
            "fit": self.digest,
        }

    @property
    def new(self) -> frozenset[str]:
        """The named models behind which another one stood before, and of which hardly anything is known."""
        keys = zip(self.models, self.keys, strict=True)
        return frozenset(name for name, key in keys if key in self.table.new)

    def next_to_judge(self, waiting: Sequence[Waiting], count: int = NEXT) -> list[Waiting]:
        """The comparisons of those that wait whose vote would teach the most about all of them."""
        chosen = most_telling(self.table.evidence.prompts, [read(each.prompt) for each in waiting], count)
        return [waiting[at] for at in chosen]


def learn(project: Project, gathered: Gathered) -> Learnt:
    """Learn from what was gathered. Takes up to two seconds: not for the event loop."""
    columns = columns_of(project)
    heard = [gathered.heard.get(model.name, {}) for model, _ in columns]
    lanes = [_lane(key, known) for (_, key), known in zip(columns, heard, strict=True)]
    made = table(gathered.rows, lanes, project.routing.votes)
    fitted = fit(made.evidence)
    facts = Lanes.of(made.evidence.costs, _seconds(lanes, heard))
    dial, over = dial_of(project.routing, fitted, facts)
    return Learnt(
        project=project,
        models=tuple(model.name for model, _ in columns),
        keys=tuple(key for _, key in columns),
        table=made,
        lanes=facts,
        dial=dial,
        router=Router.of(fitted, facts, dial),
        digest=_digest(lanes, made, dial),
        known_until=max((row.at for row in made.rows), default=None),
        gathered=gathered,
        over_budget=over,
    )


def columns_of(project: Project) -> list[tuple[NamedModel, str]]:
    """The named models that can be used, as the project asks them, with their lane keys; of two alike the first."""
    found: dict[str, NamedModel] = {}
    for model in project.models:
        if model.usable:
            parameters = {name: value for name, value in model.parameters.items() if value is not None}
            found.setdefault(lane_key(model.provider, model.model, None, parameters), model)
    return [(model, key) for key, model in found.items()]


def dial_of(setting: Routing, fitted: Fit, lanes: Lanes) -> tuple[Dial, bool]:
    """Where the project sets the dial, and whether its budget is below what can be had: then it is the cheapest."""
    start = Dial(setting.per_dollar or 0.0, setting.per_second)
    if setting.budget is None or not len(fitted.evidence):
        return start, False
    found = replay.for_budget(fitted, lanes, start, setting.budget)
    return (replace(start, per_cost=replay.prices(lanes)[-1]), True) if found is None else (found, False)


def _lane(key: str, heard: Mapping[str, Heard]) -> Lane:
    """A column with what its answers cost; before it stood the newest other lane of the same named model."""
    known = heard.get(key)
    others = [(told.newest, each) for each, told in heard.items() if each != key and told.newest is not None]
    earlier = [each for _, each in sorted(others)]
    cost = known.cost if known else math.nan
    if math.isnan(cost) and earlier:
        cost = heard[earlier[-1]].cost
    return Lane(key, cost, earlier[-1] if earlier else None, tuple(earlier[:-1]))


def _seconds(lanes: Sequence[Lane], heard: Sequence[Mapping[str, Heard]]) -> list[float]:
    return [known[lane.key].typical_s if lane.key in known else 0.0 for lane, known in zip(lanes, heard, strict=True)]


def _digest(lanes: Sequence[Lane], made: Table, dial: Dial) -> str:
    """Of all that the fit rests on: the same evidence at the same dial has the same."""
    rows = [
        [row.id, row.at.isoformat(), [[a.lane, a.passed, dict(a.grades)] for a in row.answers], _vote(row.vote)]
        for row in made.rows
    ]
    told = [[[lane.key, repr(lane.cost), lane.before] for lane in lanes], rows, [dial.per_cost, dial.per_second]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _vote(vote: Ballot | None) -> JsonValue:
    return None if vote is None else [vote.choice, vote.best, vote.blind]


def _comparisons(count: int) -> str:
    return "1 comparison" if count == 1 else f"{count:,} comparisons"
