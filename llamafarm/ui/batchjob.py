"""From the controls of the batch tab to the job that they describe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llamafarm.config.model import NamedModel
from llamafarm.engine.job import Job
from llamafarm.engine.rows import PromptFile
from llamafarm.errors import RequestError
from llamafarm.study.checks import check_of
from llamafarm.types import JsonValue
from llamafarm.ui.promptfiles import Prompts
from llamafarm.ui.runs import read_variables

MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Inputs:
    """The controls as they stand."""

    pasted: str
    template: str
    checks: str
    max_tokens: float | None
    at_once: float | None
    skip_bad: bool
    fair: bool
    earlier: str | None
    variables: str

    @property
    def calls_at_once(self) -> int:
        """How many calls may be at one server."""
        return _whole(self.at_once, "Calls at once", 1, MOST_AT_ONCE) or 8

    def job(self, models: Sequence[NamedModel], prompts: Prompts) -> Job:
        """The job for `prompts`. Raises RequestError where the controls don't describe one."""
        if not models:
            raise RequestError("Choose at least one model.")
        bound = _whole(self.max_tokens, "Max tokens", 1, 1_000_000)
        checks = tuple(check_of(line.strip()) for line in self.checks.splitlines() if line.strip())
        template = self.template if self.template.strip() else None
        file = PromptFile(prompts.path, template, read_variables(self.variables), checks, prompts.name)
        parameters: dict[str, JsonValue] = {} if bound is None else {"max_tokens": bound}
        return Job(tuple(models), file, parameters, skip_bad=bool(self.skip_bad), fair=bool(self.fair))


def _whole(value: float | None, name: str, low: int, high: int) -> int | None:
    if value is None:
        return None
    if not (math.isfinite(value) and value == int(value) and low <= value <= high):
        raise RequestError(f"{name}: a whole number from {low:,} to {high:,}.")
    return int(value)
