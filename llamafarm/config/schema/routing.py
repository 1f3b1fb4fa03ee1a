"""The `runtime.routing` section."""

from __future__ import annotations

from typing import get_args

from llamafarm.config.model import Routing, Strategy
from llamafarm.config.schema.parts import Schema, fields_of

_SET: Schema = {"not": {"type": "null"}}
_BOTH: Schema = {
    "type": "object",
    "required": ["budget", "per_dollar"],
    "properties": {"budget": _SET, "per_dollar": _SET},
}

ROUTING: Schema = {
    "type": ["string", "object", "null"],
    "if": {"type": "string"},
    "then": {"enum": [*get_args(Strategy)]},
    "else": {
        "properties": fields_of(Routing, Routing.model_fields),
        "not": {
            "type": "object",
            "required": ["budget", "per_dollar"],
            "properties": {"budget": _SET, "per_dollar": _SET},
        },
    },
}
