"""A model's `tools`."""

from __future__ import annotations

from llamafarm.config.schema.parts import Schema, ref
from llamafarm.config.sections.model_tools import ELSEWHERE, NAME
from llamafarm.config.sections.model_tools import SCHEMA as KNOWN

_PARAMETERS: Schema = {
    "type": ["object", "null"],
    "properties": {"type": {"const": "object"}, "properties": {"type": "object"}, "required": {"type": "array"}},
    "anyOf": [{"type": "null"}, {"maxProperties": 0}, *({"required": [key]} for key in sorted(KNOWN))],
}
_FUNCTION: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "pattern": f"^{NAME.pattern}$|" + r"\{\{"},
        "description": {"type": ["string", "null"]},
        "parameters": _PARAMETERS,
    },
    "anyOf": [
        {"required": ["parameters"], "properties": {"parameters": {"type": "object"}}},
        {"properties": {key: {"not": {"type": "object"}} for key in ELSEWHERE}},
    ],
}

DEFINITIONS: Schema = {
    "tool": {
        "type": ["object", "string"],
        "properties": {"type": {"const": "function"}, "function": {"type": "object"}},
        "if": {"type": "object"},
        "then": {
            "if": {"required": ["function"]},
            "then": {"properties": {"function": ref("function")}},
            "else": ref("function"),
        },
    },
    "function": _FUNCTION,
}
TOOLS: Schema = {"type": ["array", "null"], "items": ref("tool")}
