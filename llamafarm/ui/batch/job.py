"""From the controls of the batch tab to the job that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.batch.job import Job
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.ui.parts.inputs import MOST_AT_ONCE, MOST_TOKENS, read_checks, read_variables, read_whole
from llamafarm.ui.parts.prompt_files import Prompts


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
        return read_whole(self.at_once, "Calls at once", MOST_AT_ONCE) or 8

    def job(self, models: Sequence[NamedModel], prompts: Prompts) -> Job:
        """The job for `prompts`. Raises RequestError where the controls don't describe one."""
        if not models:
            raise RequestError("Choose at least one model.")
        bound = read_whole(self.max_tokens, "Max tokens", MOST_TOKENS)
        checks = read_checks(self.checks)
        template = self.template if self.template.strip() else None
        file = PromptFile(prompts.path, template, read_variables(self.variables), checks, prompts.name)
        parameters: dict[str, JsonValue] = {} if bound is None else {"max_tokens": bound}
        return Job(tuple(models), file, parameters, skip_bad=bool(self.skip_bad), fair=bool(self.fair))
