"""The grid of a sweep: models × values of one parameter × repeats × prompts, and each of its calls. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.parameters import check_parameters
from llamafarm.core.types import JsonValue, Message
from llamafarm.engine.lane import Lane, Question
from llamafarm.experiments.checks.checks import Check
from llamafarm.experiments.judge import SYSTEM
from llamafarm.experiments.sweep.seeds import seed_parameter

MOST_CALLS = 20_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question of a sweep, with values for template variables, the checks of its answers, and its own system."""

    text: str
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a sweep: `value`, `prompt` and `repeat` count from 0."""

    model: str
    value: int
    prompt: int
    repeat: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Who grades the answers, and by what."""

    model: NamedModel
    rubric: str


@dataclass(frozen=True, slots=True)
class Grid:
    """What a sweep asks. `parameters` go with every call; `seed` is that of the first repeat, None for none.

    A prompt's own system prompt comes before `system`. `notes` are what a person should know of the prompts.

    The same repeat has the same seed at every value, so that values differ by the parameter and not by luck.
    """

    models: tuple[NamedModel, ...]
    parameter: str
    values: tuple[JsonValue, ...]
    repeats: int
    prompts: tuple[Prompt, ...]
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    system: str | None = None
    seed: int | None = 1
    judge: Judge | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises RequestError where there is nothing to ask, too much, the same twice, or what is no parameter."""
        if not (self.models and self.values and self.prompts) or self.repeats < 1:
            raise RequestError("A sweep needs a model, a value, a prompt and a repeat, each at least once.")
        check_parameters({**self.parameters, self.parameter: True})
        if any(isinstance(value, float) and not math.isfinite(value) for value in self.values):
            raise RequestError(f"A value of {self.parameter} is a finite number.")
        if len({json.dumps(value, sort_keys=True) for value in self.values}) < len(self.values):
            raise RequestError(f"A value of {self.parameter} stands twice among those to try.")
        if self.size > MOST_CALLS:
            raise RequestError(f"That would be {self.size:,} calls; a sweep makes {MOST_CALLS:,} at most.")

    @property
    def size(self) -> int:
        """How many calls there are, without the judge's."""
        return len(self.models) * len(self.values) * len(self.prompts) * self.repeats

    def calls(self) -> Iterator[Call]:
        """All calls: the first repeat of everything, then the second, so that what comes early tells of all values."""
        for repeat in range(self.repeats):
            for prompt in range(len(self.prompts)):
                for value in range(len(self.values)):
                    for model in self.models:
                        yield Call(model.name, value, prompt, repeat)

    def key(self, call: Call) -> str:
        """The name of a call that stays when the sweep is resumed."""
        value = json.dumps(self.values[call.value], sort_keys=True)
        return f"{call.model} {self.parameter}={value} prompt={call.prompt} repeat={call.repeat}"

    def lane(self, call: Call) -> Lane:
        """The lane of a call. No other model stands in for it: its answers would count as this one's."""
        model = next(each for each in self.models if each.name == call.model)
        parameters = {**self.parameters, self.parameter: self.values[call.value]}
        name = seed_parameter(model)
        if self.seed is not None and name is not None and self.parameter != name:
            parameters[name] = self.seed + call.repeat
        return Lane(call.model, alone(model), parameters, self._system(call))

    def question(self, call: Call) -> Question:
        """What a call asks."""
        prompt = self.prompts[call.prompt]
        own = prompt.system
        return Question((Message("user", prompt.text),), prompt.variables, system=own, verbatim=own is not None)

    def _system(self, call: Call) -> str | None:
        """That of all calls, where the prompt has none of its own."""
        return self.system if self.prompts[call.prompt].system is None else None

    @property
    def seedless(self) -> tuple[str, ...]:
        """The models that take no seed."""
        return tuple(model.name for model in self.models if seed_parameter(model) is None)


def alone(model: NamedModel) -> NamedModel:
    """`model` without those that stand in for it, and without the tools of MCP servers: they act, once a call."""
    return model.model_copy(update={"fallback": (), "mcp_servers": ()})


def judge_lane(judge: Judge) -> Lane:
    """The lane of the judge: nothing of the project's prompts, and as little chance as it takes."""
    model = alone(judge.model).model_copy(update={"prompts": (), "tools": ()})
    parameters: dict[str, JsonValue] = {} if "temperature" in model.parameters else {"temperature": 0}
    return Lane("judge", model, parameters, SYSTEM)


def without_fallback(project: Project) -> Project:
    """`project` without `runtime.fallback`."""
    return project.model_copy(update={"fallback": ()})
