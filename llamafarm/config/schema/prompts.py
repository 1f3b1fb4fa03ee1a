"""The `prompts` section, in all its forms."""

from __future__ import annotations

from llamafarm.config.schema.parts import FALSY, TEXT, Schema, ref
from llamafarm.config.sections.prompts import MOST_SETS, ROLES

SECTION: Schema = {"if": {"type": "object"}, "then": {"properties": {"title": ref("lines"), "content": ref("lines")}},
                   "else": ref("lines")}  # fmt: skip
_SINGLE: Schema = {  # the first of these that is there has the text
    "properties": {"role": {"enum": [*ROLES, *FALSY, [], {}]}},
    "if": {"required": ["sections"], "properties": {"sections": {"type": "array"}}},
    "then": {"properties": {"sections": {"items": SECTION}}},
    "else": {
        "if": {"required": ["raw_text"]},
        "then": {"properties": {"raw_text": ref("lines")}},
        "else": {"required": ["content"], "properties": {"content": ref("lines")}},
    },
}

DEFINITIONS: Schema = {
    "lines": {
        "if": {"type": "array"},
        "then": {"items": ref("lines")},
        "else": TEXT,
    },
    "prompt": {
        "type": ["string", "array", "object", "null"],
        "items": ref("prompt"),
        "if": {"type": "object"},
        "then": {
            "if": {"required": ["messages"]},
            "then": {"properties": {"messages": ref("prompt")}},
            "else": _SINGLE,
        },
    },
}

PROMPTS: Schema = {
    "type": ["string", "array", "object", "null"],
    "items": ref("prompt"),
    "additionalProperties": ref("prompt"),
    "maxProperties": MOST_SETS,
}
