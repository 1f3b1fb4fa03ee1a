"""What reading a project file gave, as JSON for machines: the contract of `lf validate --json`."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.config.model import Loaded
from llamafarm.core.errors import Problem
from llamafarm.core.types import JsonValue


def report(loaded: Loaded) -> dict[str, JsonValue]:
    """The project, its models with the errors of each, and all errors and warnings with line and key.

    `errors` holds the errors of single models too, so that a machine finds their lines in one place.
    """
    project = loaded.project
    models: list[JsonValue] = [
        {
            "name": model.name,
            "provider": model.provider,
            "model": model.model,
            "errors": [problem.message for problem in model.problems],
        }
        for model in (project.models if project else ())
    ]
    return {
        "project": {"namespace": project.namespace, "name": project.name} if project else None,
        "default_model": project.default_model if project else None,
        "models": models,
        "warnings": _listed(loaded.warnings),
        "errors": _listed(loaded.errors),
    }


def _listed(problems: Sequence[Problem]) -> list[JsonValue]:
    return [{"line": each.line, "key": each.key, "message": each.message} for each in problems]
