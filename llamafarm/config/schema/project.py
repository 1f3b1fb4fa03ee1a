"""The whole file."""

from __future__ import annotations

import json
from pathlib import Path

from llamafarm.config.project import LEGACY, MOST_MODELS, VERSION
from llamafarm.config.reading.document import LONGEST_KEY
from llamafarm.config.schema import models, prompts, servers, tools
from llamafarm.config.schema.parts import NAMES, SHARED, TEXT, Schema, ref
from llamafarm.config.schema.routing import ROUTING

TITLE = "A LlamaFarm project file (llamafarm.yaml), as LlamaFarm Playground reads it"
FILE = "llamafarm.schema.json"  # what `lf init` writes beside the project
LINE = f"# yaml-language-server: $schema={FILE}"  # https://github.com/redhat-developer/yaml-language-server

_NONE: Schema = {"enum": [None, [], {}]}
_MODELS: Schema = {
    "type": ["array", "object"],
    "items": ref("named model"),
    "maxItems": MOST_MODELS,
    "additionalProperties": ref("model"),
    "propertyNames": {"maxLength": LONGEST_KEY},
    "maxProperties": MOST_MODELS,
}
_RUNTIME: Schema = {
    "type": "object",
    "properties": {"models": {}, "default_model": TEXT, "fallback": NAMES, "routing": ROUTING},
    "if": {"required": ["models"], "properties": {"models": {"not": _NONE}}},
    "then": {"properties": {"models": _MODELS}},
    "else": {  # the one model of old files, in `runtime` itself
        "if": {"anyOf": [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in LEGACY]},
        "then": ref("model"),
        "else": {"required": ["models"], "properties": {"models": _MODELS | {"minItems": 1, "minProperties": 1}}},
    },
}


def schema() -> Schema:
    """The JSON Schema of a project file."""
    definitions = {**SHARED, **models.DEFINITIONS, **tools.DEFINITIONS, **prompts.DEFINITIONS, **servers.DEFINITIONS}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "type": "object",
        "required": ["runtime"],
        "properties": {
            "version": {"enum": [VERSION, None]},
            "name": TEXT,
            "namespace": TEXT,
            "runtime": _RUNTIME,
            "prompts": prompts.PROMPTS,
            "mcp": servers.MCP,
        },
        "definitions": definitions,
    }


def schema_json() -> str:
    """The same as the text of a file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def is_ours(path: Path) -> bool:
    """Whether the file at `path` is such a schema, of this version or another: it may be replaced."""
    try:
        with path.open(encoding="utf-8") as file:
            return TITLE in file.read(1024)
    except (OSError, UnicodeDecodeError):
        return False
