"""The `mcp.servers` section."""

from __future__ import annotations

from typing import get_args

from llamafarm.config.model import McpServer, Transport
from llamafarm.config.schema.parts import FALSY, FILLED_IN, NAME, Schema, empty_or, fields_of, ref
from llamafarm.config.sections.mcp import FILLED, MOST_SERVERS, SETTINGS

_SOME: Schema = {"type": "string", "minLength": 1}
_COMMAND: Schema = {"required": ["command"], "properties": {"command": _SOME}}
_ADDRESS: Schema = {
    "anyOf": [{"required": [key], "properties": {key: _SOME}} for key in ("base_url", "url")],
}
_UNTOLD: Schema = {"properties": {"transport": {"enum": [*FALSY, [], {}]}}}
_STDIO: Schema = {"properties": {"transport": {"const": "stdio"}}}
_FILLED_IN: Schema = {"properties": {"transport": FILLED_IN}}

_SERVER: Schema = {
    "type": "object",
    "properties": {
        **fields_of(McpServer, SETTINGS),
        "transport": {"anyOf": [{"enum": [*get_args(Transport), *FALSY, [], {}]}, FILLED_IN]},
        "base_url": {"anyOf": [{"type": "string"}, {"enum": [*FALSY, [], {}]}]},
    },
    "allOf": [
        ref("nothing hidden"),
        {"properties": {key: ref("nothing unknown") for key in FILLED}},
        {
            "if": _UNTOLD,
            "then": {"anyOf": [_COMMAND, _ADDRESS]},
            "else": {"if": _STDIO, "then": _COMMAND, "else": {"anyOf": [_FILLED_IN, _ADDRESS]}},
        },
    ],
}

DEFINITIONS: Schema = {"MCP server": _SERVER}

SERVERS: Schema = {
    "type": ["array", "object", "null"],
    "items": {"allOf": [ref("MCP server"), {"required": ["name"], "properties": {"name": NAME}}]},
    "maxItems": MOST_SERVERS,
    "additionalProperties": ref("MCP server"),
    "maxProperties": MOST_SERVERS,
}
MCP: Schema = empty_or({"type": "object", "properties": {"servers": SERVERS}})
