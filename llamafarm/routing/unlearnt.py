"""The learnt strategy where nothing was judged yet: it stays with the project's default, and says what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from llamafarm.config.model import Project
from llamafarm.core.types import JsonValue, Route
from llamafarm.learning.least import FEWEST


@dataclass(frozen=True, slots=True)
class Unlearnt:
    """No evidence on the models of `project`."""

    project: Project

    @property
    def open(self) -> bool:
        """Never."""
        return False

    def route(self, prompt: str) -> Route:  # noqa: ARG002 - the same for every prompt
        """The default model."""
        model = self.project.default_model
        reason = f"No evidence yet: 0 of {FEWEST} comparisons → {model} (the project's default)."
        signals: dict[str, JsonValue] = {
            "comparisons": 0,
            "needed": FEWEST,
            "incumbent": model,
            "pick": model,
            "doubt": "few",
        }
        return Route("learned", model, reason, signals)
