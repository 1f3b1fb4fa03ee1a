"""What reading a project file gave, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.config.model import Loaded
from llamafarm.core.errors import Problem


def lines(loaded: Loaded, name: str) -> Iterator[str]:
    """Every model with what it is, then errors and warnings as `file:line: key: message`."""
    project = loaded.project
    if project is not None:
        yield f"{project.namespace}/{project.name}, default model {project.default_model}"
        for model in project.models:
            state = "ok     " if model.usable else "unusable"
            yield f"  {state:8} {model.name}: {model.provider or 'no provider'}, {model.model or 'no model'}"
    for kind, problems in (("error", loaded.errors), ("warning", loaded.warnings)):
        for problem in problems:
            yield f"{_place(problem, name)}: {kind}: {problem.message}"


def _place(problem: Problem, name: str) -> str:
    place = f"{name}:{problem.line}" if problem.line else name
    return f"{place}: {problem.key}" if problem.key else place
