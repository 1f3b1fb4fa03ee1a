"""Stores a grid in the plan of a run, and reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.sweep.grid import Grid, Judge, Prompt


def grid_plan(grid: Grid, task: str | None = None) -> dict[str, JsonValue]:
    """All that is needed to ask what is missing of `grid`; models by name."""
    judge: JsonValue = None if grid.judge is None else {"model": grid.judge.model.name, "rubric": grid.judge.rubric}
    return {
        "models": [model.name for model in grid.models],
        "parameter": grid.parameter,
        "values": list(grid.values),
        "repeats": grid.repeats,
        "prompts": [
            {
                "text": each.text,
                "variables": dict(each.variables),
                "checks": [check.text for check in each.checks],
                "system": each.system,
            }
            for each in grid.prompts
        ],
        "parameters": dict(grid.parameters),
        "system": grid.system,
        "seed": grid.seed,
        "judge": judge,
        "task": task,
    }


def grid_from(plan: Mapping[str, JsonValue], project: Project) -> Grid:
    """The grid that `grid_plan` remembered. Raises RequestError where a model is gone, or the plan is no sweep's."""
    known: Any = plan
    try:
        judge = known["judge"]
        return Grid(
            models=tuple(_model(project, name) for name in known["models"]),
            parameter=known["parameter"],
            values=tuple(known["values"]),
            repeats=known["repeats"],
            prompts=tuple(_prompt(each) for each in known["prompts"]),
            parameters=known["parameters"],
            system=known["system"],
            seed=known["seed"],
            judge=Judge(_model(project, judge["model"]), judge["rubric"]) if judge else None,
        )
    except LlamaFarmError:
        raise
    except (KeyError, TypeError, ValueError):
        raise RequestError("What the run remembers is no sweep's plan.", hint="Begin a new sweep.") from None


def _prompt(known: Mapping[str, Any]) -> Prompt:
    checks = tuple(check_of(text) for text in known["checks"])
    return Prompt(known["text"], known["variables"], checks, known.get("system"))


def _model(project: Project, name: str) -> NamedModel:
    model = project.model(name)
    if model is None:
        raise RequestError(f"The project has no model {name} any more.", hint="Name the project file that has it.")
    return model
