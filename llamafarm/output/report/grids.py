"""A sweep as it is recorded: which call of its grid a comparison was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import Check
from llamafarm.experiments.stats.guidelines import GUIDELINES, Aim, Guideline
from llamafarm.experiments.sweep.grid import Call, Grid
from llamafarm.experiments.sweep.grid_plan import grid_from
from llamafarm.experiments.sweep.sweep import JUDGED


@dataclass(frozen=True, slots=True)
class Places:
    """The grid of a sweep as its plan tells it, and its calls by their keys. Its models are names alone.

    `judge` names the judge.
    """

    grid: Grid
    calls: Mapping[str, Call]
    judge: str | None
    rubric: str
    task: Guideline | None
    system: str | None
    seed: int | None
    _by_prompt: Mapping[int, tuple[Check, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Mapping[str, JsonValue]) -> Places:
        """The places of a plan. Raises RequestError where it is no sweep's."""
        names = _names(plan.get("models"))
        judge = plan.get("judge")
        by = str(judge.get("model")) if isinstance(judge, dict) else None
        models = tuple(NamedModel(name=name, provider="") for name in dict.fromkeys([*names, *([by] if by else [])]))
        stand_in = Project(namespace="", name="", models=models, default_model="")
        grid = grid_from(plan, stand_in)
        return cls(
            grid,
            {grid.key(call): call for call in grid.calls()},
            by,
            str(judge.get("rubric") or "") if isinstance(judge, dict) else "",
            next((guide for guide in GUIDELINES if guide.key and guide.key == plan.get("task")), None),
            grid.system,
            grid.seed,
            {at: prompt.checks for at, prompt in enumerate(grid.prompts)},
        )

    @property
    def aim(self) -> Aim | None:
        """What the sweep's task aims at."""
        return None if self.task is None else self.task.aim

    def call(self, item: str) -> Call | None:
        """The call that is recorded as `item`."""
        return self.calls.get(item)

    def judged_by(self, item: str) -> str:
        """The key of the call that the judgement `item` is about; empty where it is none."""
        return item.removesuffix(JUDGED) if item.endswith(JUDGED) else ""

    def checks(self, call: Call) -> tuple[Check, ...]:
        """What the answer to `call` must pass."""
        return self._by_prompt.get(call.prompt, ())


def _names(value: JsonValue) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
