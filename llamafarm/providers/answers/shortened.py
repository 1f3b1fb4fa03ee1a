"""What LlamaFarm's Universal runtime tells of a prompt that it shortened: `x_context_usage`, in whole answers. Pure."""

from __future__ import annotations

from llamafarm.core.conditions import Caution
from llamafarm.core.types import JsonValue


def shortened(value: JsonValue) -> Caution | None:
    """That in a sentence; None where nothing was shortened."""
    if not isinstance(value, dict) or value.get("truncated") is not True:
        return None
    count, way = _count(value.get("truncated_messages")), value.get("strategy_used")
    what = f" {count:,} message{'s' if count > 1 else ''} shortened or left out" if count else ""
    how = f" ({way.replace('_', ' ')})" if isinstance(way, str) and way else ""
    kept, room = _count(value.get("prompt_tokens")), _count(value.get("total_context"))
    left = f", {kept:,} tokens left for a context of {room:,}" if kept and room else ""
    return Caution("prompt_cut", f"The server cut the prompt{':' if what else ''}{what}{how}{left}.")


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
