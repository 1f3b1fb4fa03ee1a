"""A model's `tools`: functions in OpenAI's form, or in LlamaFarm's own, which has no `function` around."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from llamafarm.config.reading.document import Path, kind
from llamafarm.core.types import JsonValue

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
FIELDS = ("name", "description", "parameters", "strict")
# Other tools' words for parameters.
ELSEWHERE = ("input_schema", "inputSchema", "schema", "args", "arguments", "params")
SCHEMA = {"type", "properties", "$ref", "required", "additionalProperties"}


@dataclass(slots=True)
class Tools:
    """The tools in OpenAI's form; `wrong` and `ignored` are places with a sentence each."""

    found: list[dict[str, JsonValue]] = field(default_factory=list)
    wrong: list[tuple[Path, str]] = field(default_factory=list)
    ignored: list[tuple[Path, str]] = field(default_factory=list)


def read_tools(path: Path, value: JsonValue) -> Tools:
    """The functions of a list; what is none is told and left out. Texts in them may be templates."""
    tools = Tools()
    if value is None:
        return tools
    if not isinstance(value, list):
        tools.wrong.append((path, f"`tools` must be a list of functions, but is {kind(value)}."))
        return tools
    names: set[str] = set()
    for index, entry in enumerate(value):
        place = (*path, index)
        if isinstance(entry, str):
            tools.ignored.append((place, f"`{entry}` names a tool that the file does not define: ignored."))
        elif not isinstance(entry, dict):
            tools.wrong.append((place, f"A tool must be a mapping, but is {kind(entry)}."))
        else:
            _read(tools, place, entry, names)
    return tools


def _read(tools: Tools, place: Path, entry: dict[str, JsonValue], names: set[str]) -> None:
    inner = entry.get("function")
    function = inner if isinstance(inner, dict) else entry
    within = (*place, "function") if isinstance(inner, dict) else place
    wrong = [*_wrong_kind(place, entry)]
    if "function" not in entry or isinstance(inner, dict):
        wrong += _wrong_function(within, function)
    name = function.get("name")
    if isinstance(name, str) and name in names:
        wrong.append(((*within, "name"), f"There are two tools `{name}`: rename one."))
    if wrong:
        tools.wrong += wrong
        return
    names.add(str(name))
    made = {key: function[key] for key in FIELDS if function.get(key) is not None}
    parameters = made.get("parameters")
    schema = dict(parameters) if isinstance(parameters, dict) else {}
    made["parameters"] = {"type": "object", "properties": {}, **schema}
    tools.found.append({"type": "function", "function": made})
    tools.ignored += [
        ((*within, key), f"`{key}` of a tool is not used: ignored.") for key in function if key not in (*FIELDS, "type")
    ]
    if function is not entry:
        tools.ignored += [
            ((*place, key), f"`{key}` of a tool is not used: ignored.") for key in entry if key not in _AROUND
        ]


_AROUND = ("type", "function")


def _wrong_kind(place: Path, entry: dict[str, JsonValue]) -> Iterator[tuple[Path, str]]:
    if entry.get("type", "function") != "function":
        yield (*place, "type"), f"A tool's `type` is `function`, not `{entry['type']}`."
    if "function" in entry and not isinstance(entry["function"], dict):
        yield (*place, "function"), f"`function` must be a mapping, but is {kind(entry['function'])}."


def _wrong_function(place: Path, function: dict[str, JsonValue]) -> Iterator[tuple[Path, str]]:
    name, description = function.get("name"), function.get("description")
    if not isinstance(name, str) or not name:
        yield (*place, "name"), "A tool has no `name`: add one."
    elif not NAME.fullmatch(name) and "{{" not in name:
        yield (*place, "name"), f"A tool's name has up to 64 letters, digits, `_` and `-`, unlike `{name}`."
    if description is not None and not isinstance(description, str):
        yield (*place, "description"), f"`description` must be text, but is {kind(description)}."
    parameters = function.get("parameters")
    if parameters is None:
        if found := next((key for key in ELSEWHERE if isinstance(function.get(key), dict)), None):
            yield (*place, found), f"`{found}` is another tool's word: name it `parameters`."
    elif not isinstance(parameters, dict):
        yield (*place, "parameters"), f"`parameters` must be a JSON Schema, but is {kind(parameters)}."
    else:
        yield from _wrong_schema((*place, "parameters"), parameters)


def _wrong_schema(place: Path, schema: dict[str, JsonValue]) -> Iterator[tuple[Path, str]]:
    form = "`parameters` is a JSON Schema: `type: object`, and each parameter under `properties`"
    if schema.get("type", "object") != "object" or (schema and not schema.keys() & SCHEMA):
        yield place, f"{form}."
    elif not isinstance(schema.get("properties", {}), dict):
        yield (*place, "properties"), f"{form}, which must be a mapping."
    elif not isinstance(schema.get("required", []), list):
        yield (*place, "required"), "`required` must be a list of names."
