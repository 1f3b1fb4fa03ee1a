"""Tools as the functions that model servers know (OpenAI's `tools`)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from llamafarm.core.types import JsonValue, Tool, ToolCall

LONGEST_NAME = 64


def function_of(tool: Tool) -> dict[str, JsonValue]:
    """The definition by which a model is told of `tool`."""
    return {
        "type": "function",
        "function": {"name": tool.call_name, "description": tool.description, "parameters": dict(tool.schema)},
    }


def function_names(tools: Iterable[Mapping[str, JsonValue]]) -> set[str]:
    """The names in function definitions; LlamaFarm's own form has the name beside `type`."""
    names = set()
    for tool in tools:
        function = tool.get("function")
        name = function.get("name") if isinstance(function, dict) else tool.get("name")
        if isinstance(name, str):
            names.add(name)
    return names


def arguments_of(text: str) -> dict[str, JsonValue] | None:
    """A call's arguments as the object that they must be, or None.

    Some models write it as the text of a text, or leave it out. What parsers read differently is refused: names that
    stand twice in an object, NaN and numbers beyond a float, and halves of characters.
    """
    value: JsonValue = text.strip() or "{}"
    try:
        for _ in range(2):
            if isinstance(value, str):
                value = json.loads(value, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else {} if value is None else None


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice")
    return made


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse(digits)


def sendable(call: ToolCall) -> ToolCall:
    """`call` as it may stand in a conversation: servers refuse names and arguments that are not in their form."""
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:LONGEST_NAME] or "unknown"
    try:
        plain = isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        plain = False
    return replace(
        call, name=name, arguments=call.arguments if plain else json.dumps(arguments_of(call.arguments) or {})
    )
