"""A lane's controls and the parameters that they stand for. Pure.

What the project does not set is not sent: a control that is off stands for "the server's own default",
never for a number that we made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.parameters import check_parameters
from llamafarm.core.types import JsonValue
from llamafarm.engine.lane import Lane

OWN_CONTROLS = ("temperature", "top_p", "max_tokens")
RESTING_TEMPERATURE = 0.7
RESTING_TOP_P = 1.0
LONGEST = 24  # characters of a value on a chip


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of one lane's controls, in the order in which the page shows them."""

    system: str
    send_temperature: bool
    temperature: float
    send_top_p: bool
    top_p: float
    max_tokens: float | None
    others: str

    @classmethod
    def of(cls, project: Project, model: NamedModel) -> Settings:
        """The controls as the project file sets them."""
        parameters = model.parameters
        temperature, top_p = (_number(parameters.get(name)) for name in ("temperature", "top_p"))
        others = {name: value for name, value in parameters.items() if name not in OWN_CONTROLS}
        return cls(
            system=system_prompt(project, model),
            send_temperature=temperature is not None,
            temperature=RESTING_TEMPERATURE if temperature is None else temperature,
            send_top_p=top_p is not None,
            top_p=RESTING_TOP_P if top_p is None else top_p,
            max_tokens=_number(parameters.get("max_tokens")),
            others=json.dumps(others, indent=2, ensure_ascii=False) if others else "",
        )

    def lane(self, project: Project, model: NamedModel) -> Lane:
        """The lane that these controls ask for.

        Raises RequestError when the other parameters are not a JSON object, or hold what is no parameter.
        """
        wanted: dict[str, JsonValue] = {
            "temperature": self.temperature if self.send_temperature else None,
            "top_p": self.top_p if self.send_top_p else None,
            "max_tokens": None if self.max_tokens is None else int(self.max_tokens),
        }
        # A value that a control can't show (a template, a text) stays as the file has it.
        for name in OWN_CONTROLS:
            value = model.parameters.get(name)
            if value is not None and _number(value) is None and wanted[name] is None:
                del wanted[name]
        dropped: dict[str, JsonValue] = dict.fromkeys(model.parameters.keys() - set(OWN_CONTROLS))
        own_system = system_prompt(project, model)
        return Lane(
            id=model.name,
            model=model,
            parameters={**dropped, **wanted, **self._others()},
            system=None if self.system == own_system else self.system,
        )

    def _others(self) -> Mapping[str, JsonValue]:
        if not self.others.strip():
            return {}
        try:
            value = orjson.loads(self.others)  # unlike json, it takes no NaN and no Infinity
        except ValueError as error:
            raise RequestError(f"The other parameters are not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise RequestError("The other parameters are not a JSON object.", hint='Write them as {"name": value}.')
        check_parameters(value)
        return value


def changed(lane: Lane) -> tuple[str, ...]:
    """What of the lane's parameters is not as its model has them in the project, in a word or two each."""
    own = lane.model.parameters
    names = {"temperature": "temp", "top_p": "top p", "max_tokens": "max tokens"}
    found = [
        f"{names.get(name, name)} {'not sent' if value is None else _short(value)}"
        for name, value in lane.parameters.items()
        if value != own.get(name)
    ]
    return (*found, *(["own system prompt"] if lane.system is not None else []))


def _short(value: JsonValue) -> str:
    text = f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def system_prompt(project: Project, model: NamedModel) -> str:
    """The system messages of the model's prompt sets, as the file has them."""
    return "\n\n".join(m.content for m in project.messages_for(model) if m.role == "system")


def _number(value: JsonValue | object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value
