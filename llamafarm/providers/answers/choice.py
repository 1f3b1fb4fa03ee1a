"""How tools may be called (`tool_choice`, `parallel_tool_calls`), in all the forms that programs send. Pure.

OpenAI's forms: https://platform.openai.com/docs/api-reference/chat/create. A function may also stand flat, as in its
newer API; `any` is Mistral's and Anthropic's word for `required`, `{"type": "tool", "name": …}` Anthropic's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llamafarm.core.errors import RequestRejected
from llamafarm.core.types import JsonValue

Mode = Literal["auto", "none", "required"]
MODES: Mapping[str, Mode] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
RULES: Mapping[Mode, str] = {
    "auto": "Where no tool is needed, just answer.",
    "none": "",
    "required": "Call a tool now: don't answer without one.",
}
ONE = "Call one tool at a time."
FORMS = 'auto, none, required, or {"type": "function", "function": {"name": …}}'


@dataclass(frozen=True, slots=True)
class Choice:
    """`mode` says whether a tool may or must be called; `names` are those that may be, None for all."""

    mode: Mode = "auto"
    names: tuple[str, ...] | None = None
    several: bool = True

    @classmethod
    def of(cls, parameters: Mapping[str, JsonValue]) -> Choice:
        """What a request's parameters say. Raises RequestRejected where they say nothing that is known."""
        several = parameters.get("parallel_tool_calls") is not False
        match parameters.get("tool_choice"):
            case None:
                return cls(several=several)
            case str(word) | {"type": str(word)} if word in MODES:
                return cls(MODES[word], several=several)
            case {"type": "allowed_tools", "allowed_tools": {"mode": str(word), "tools": list(tools)}} if word in MODES:
                return cls(MODES[word], tuple(filter(None, map(_name, tools))), several)
            case dict(value) if name := _name(value):
                return cls("required", (name,), several)
        raise RequestRejected("This tool_choice is not known.", hint=f"Send {FORMS}.")

    def among(self, functions: list[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
        """Those of `functions` that the model is told of. Raises RequestRejected for a name that none of them has."""
        if self.mode == "none" or not functions:
            return []
        known = [str(function["name"]) for function in functions]
        if missing := [name for name in self.names or () if name not in known]:
            raise RequestRejected(
                f"tool_choice names {missing[0]}, which is none of the tools.", hint=f"There is: {', '.join(known)}."
            )
        return [each for each, name in zip(functions, known, strict=True) if self.names is None or name in self.names]

    def rule(self) -> str:
        """The choice as a sentence for the model."""
        rule = RULES[self.mode]
        if self.mode == "required" and self.names is not None and len(self.names) == 1:
            rule = f"Call the tool {self.names[0]} now: don't answer without it."
        return rule if self.several else f"{rule} {ONE}"


def _name(value: JsonValue) -> str | None:
    """The name of a function, in a form that has it inside or beside `type`."""
    if not isinstance(value, dict):
        return None
    inner = value.get("function")
    name = inner.get("name") if isinstance(inner, dict) else value.get("name")
    return name if isinstance(name, str) and name else None
