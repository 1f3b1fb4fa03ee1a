"""The tool types that the engine knows, without MCP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.core.types import Tool


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave, as text for the model; `is_error`: it failed, and the text says why."""

    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of some MCP servers; `missing` says by server why its tools are not there."""

    tools: tuple[Tool, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
