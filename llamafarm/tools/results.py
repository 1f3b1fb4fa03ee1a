"""What MCP servers list and answer, as tools and text. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from llamafarm.config.secrets.scrubber import Scrubber
from llamafarm.core.types import JsonValue, Tool
from llamafarm.tools.base import ToolResult

if TYPE_CHECKING:
    from mcp import types as mcp_types

KEPT = 1_000_000  # characters of one result that are held at all
NO_OUTPUT = "(The tool gave no output.)"


def tool_of(server: str, listed: mcp_types.Tool) -> Tool:
    """A tool as its server lists it; models call it by its own name until it is offered beside others."""
    return Tool(
        server=server,
        name=listed.name,
        call_name=listed.name,
        description=listed.description or listed.title or "",
        schema=_object_schema(listed.input_schema),
    )


def scrubbed(tool: Tool, scrubber: Scrubber) -> Tool:
    """`tool` without the secrets of its server, in what is told of it."""
    schema = json.loads(scrubber.clean(json.dumps(tool.schema)))
    return replace(tool, description=scrubber.clean(tool.description), schema=schema)


def _object_schema(schema: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """A schema that model servers take: of an object, with properties; `$schema` is refused by some."""
    if schema.get("type", "object") != "object" or not isinstance(schema.get("properties", {}), dict):
        return {"type": "object", "properties": {}}
    plain: dict[str, JsonValue] = {"type": "object", "properties": {}}
    return plain | {key: value for key, value in schema.items() if key != "$schema"}


def result_of(answer: mcp_types.CallToolResult) -> ToolResult:
    """The text of a call's answer: text as it is, anything else named; structured content where there is no text."""
    parts = [part for block in answer.content if (part := "".join(_words(block)))]
    if (
        not any(block.type == "text" and block.text for block in answer.content)
        and answer.structured_content is not None
    ):
        parts.insert(0, json.dumps(answer.structured_content, ensure_ascii=False))
    text = "\n".join(parts) or NO_OUTPUT
    return ToolResult(cut(text, KEPT), is_error=bool(answer.is_error))


def _words(block: mcp_types.ContentBlock) -> Iterator[str]:
    match block.type:
        case "text":
            yield block.text
        case "image" | "audio":
            size = len(block.data) * 3 // 4
            yield f"[{block.type}, {block.mime_type}, about {size:,} bytes: not passed on to the model]"
        case "resource_link":
            yield f"[resource {block.uri}: {block.description or block.title or block.name}]"
        case "resource":
            inner = block.resource
            text = getattr(inner, "text", None)
            yield text if isinstance(text, str) else f"[resource {inner.uri}: binary, not passed on to the model]"


def cut(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters with a note of what is left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[Cut here: {len(text) - limit:,} of {len(text):,} characters are left out.]"
