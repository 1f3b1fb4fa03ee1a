"""The entries of `runtime.models`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from llamafarm.config.model import NamedModel
from llamafarm.config.parameters import NUMBERS, WHOLE
from llamafarm.config.profiles import PROFILES, PROVIDERS
from llamafarm.config.reading.document import LONGEST_KEY
from llamafarm.config.reading.env import REFERENCE
from llamafarm.config.schema.parts import (
    FILLED_IN,
    NAME,
    NAMES,
    TEXT,
    Schema,
    fields_of,
    one_of,
    ref,
)
from llamafarm.config.schema.tools import TOOLS
from llamafarm.config.sections.models import CHECKED, FILLED, TEXTS, WORDS
from llamafarm.core.parameters import OURS, RESERVED

_STRATEGIES = get_args(NamedModel.model_fields["tool_call_strategy"].annotation)
_ADDRESS: Schema = {  # an embedded model has none, and ignores it
    "if": {"properties": {"provider": {"not": {"enum": [name for name, each in PROFILES.items() if each.embedded]}}}},
    "then": {
        "properties": {
            "base_url": {"type": ["string", "null"], "pattern": rf"^$|^\s*https?://|{REFERENCE.pattern}"},
        }
    },
}


def _sent(kept: Iterable[str]) -> Schema:
    """Fields of a request's body, of which `kept` are not the file's to set."""
    numbers: Schema = {name: {"anyOf": [{"type": ["number", "null"]}, FILLED_IN]} for name in sorted(NUMBERS)}
    whole: Schema = {name: {"anyOf": [{"type": ["integer", "null"]}, FILLED_IN]} for name in sorted(WHOLE)}
    never: Schema = dict.fromkeys(sorted(kept), False)
    return {"type": ["object", "null"], "properties": {**numbers, **whole, **never}}


_MODEL: Schema = {
    "type": "object",
    "required": ["provider", "model"],
    "properties": {
        **dict.fromkeys(TEXTS, TEXT),
        "provider": one_of(PROVIDERS),
        "model": NAME,
        "tool_call_strategy": one_of(_STRATEGIES, None, ""),
        "model_api_parameters": _sent(RESERVED),
        "extra_body": _sent(OURS),
        **dict.fromkeys(("prompts", "prompt", "mcp_servers", "fallback"), NAMES),
        "tools": TOOLS,
        "default": {},
        **fields_of(NamedModel, CHECKED),
    },
    "allOf": [
        _ADDRESS,
        {"properties": dict.fromkeys(WORDS, True), "additionalProperties": ref("nothing hidden")},
        {"properties": {key: ref("nothing unknown") for key in FILLED}},
    ],
}

DEFINITIONS: Schema = {
    "model": _MODEL,
    "named model": {
        "allOf": [ref("model"), {"required": ["name"], "properties": {"name": {**NAME, "maxLength": LONGEST_KEY}}}]
    },
}
