"""From the controls of the temperature lab to the grid that they describe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.prompt_file.checktexts import checks_of
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.stats.guidelines import GUIDELINES, Guideline
from llamafarm.experiments.sweep.grid import Grid, Judge, Prompt
from llamafarm.experiments.sweep.prompts import notes_of, prompts_of
from llamafarm.ui.lab.tab import RUBRIC
from llamafarm.ui.parts.inputs import MOST_AT_ONCE, MOST_TOKENS, read_checks, read_variables, read_whole

PASTED = "prompts"  # without an ending: how the text begins tells its form


@dataclass(frozen=True, slots=True)
class Inputs:
    """The controls as they stand, and what of the rest of the page belongs to them."""

    task: str | None
    parameter: str
    values: str
    repeats: float | None
    max_tokens: float | None
    at_once: float | None
    fair: bool
    prompts: str
    checks: str
    judge: str
    rubric: str
    prompt: str
    variables: str

    @property
    def guideline(self) -> Guideline | None:
        """The task's guideline."""
        return next((guide for guide in GUIDELINES if guide.key == self.task), None)

    @property
    def calls_at_once(self) -> int:
        """How many calls may be at one server."""
        return read_whole(self.at_once, "Calls at once", MOST_AT_ONCE) or 4

    def grid(self, project: Project, models: Sequence[NamedModel]) -> Grid:
        """The grid. Raises RequestError where the controls don't describe one."""
        if not models:
            raise RequestError("Choose at least one model.")
        bound = read_whole(self.max_tokens, "Max tokens", MOST_TOKENS)
        judge = self.judge.strip()
        named = project.model(judge) if judge else None
        if judge and named is None:
            raise RequestError(f"There is no model {judge} to judge.")
        prompts, notes = self._prompts(project, models)
        return Grid(
            models=tuple(models),
            parameter=self.parameter.strip(),
            values=self._values(),
            repeats=read_whole(self.repeats, "Repeats", 1_000) or 5,
            prompts=prompts,
            parameters={} if bound is None else {"max_tokens": bound},
            judge=None if named is None else Judge(named, self.rubric.strip() or RUBRIC),
            notes=notes,
        )

    def _values(self) -> tuple[JsonValue, ...]:
        texts = [part.strip() for part in self.values.split(",") if part.strip()]
        if not texts and self.parameter == "temperature" and self.guideline is not None:
            return self.guideline.values
        if not texts:
            raise RequestError("Write the values to try, with commas, or choose a task for its temperatures.")
        return tuple(_number(text) for text in texts)

    def _prompts(self, project: Project, models: Sequence[NamedModel]) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
        """The prompts, and what is to be known of them."""
        checks, variables = read_checks(self.checks), read_variables(self.variables)
        if self.prompts.strip():
            data = self.prompts.encode("utf-8", "replace")
            prompts, remarks = prompts_of(PromptFile(Path(PASTED), variables=variables, checks=checks, data=data))
            return prompts, notes_of(remarks, project, models, None)
        if not self.prompt.strip():
            raise RequestError("Type a prompt first, here or above.")
        return (Prompt(self.prompt, variables, checks_of(checks, variables)),), ()


def _number(text: str) -> JsonValue:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if math.isfinite(number) and number.is_integer() and "." not in text else number
