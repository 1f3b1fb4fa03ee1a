"""Tools as the functions that model servers know (OpenAI's `tools`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llamafarm.types import JsonValue, Tool


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
