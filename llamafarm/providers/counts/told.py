"""Finds the numbers in a server's usage report, wherever they stand and whatever they are called. Pure.

Names and places are those of OpenAI's completions and responses, Anthropic's messages, Gemini, Amazon Bedrock, Ollama,
llama.cpp, Groq (`x_groq`), DeepSeek (`prompt_cache_hit_tokens`), Moonshot (usage within a choice), OpenRouter
(`cache_write_tokens`), LiteLLM, Alibaba's Model Studio, LangChain and Vercel's AI SDK.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from llamafarm.core.types import JsonValue

Part = Literal[
    "input", "output", "total", "reasoning", "cached", "written", "written 5m", "written 1h", "tool input"
]  # fmt: skip
NAMES: Mapping[Part, tuple[str, ...]] = {
    "input": (
        "prompt_tokens", "input_tokens", "promptTokenCount", "prompt_token_count", "promptTokens", "inputTokens",
        "inputTokenCount", "input_token_count", "prompt_eval_count", "tokens_evaluated", "prompt_n",
    ),
    "output": (
        "completion_tokens", "output_tokens", "candidatesTokenCount", "candidates_token_count", "completionTokens",
        "outputTokens", "outputTokenCount", "output_token_count", "generated_tokens", "generated_token_count",
        "eval_count", "tokens_predicted", "predicted_n",
    ),
    "total": ("total_tokens", "totalTokenCount", "total_token_count", "totalTokens"),
    "reasoning": ("reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count", "reasoningTokens"),
    "cached": (
        "cached_tokens", "prompt_cache_hit_tokens", "cachedContentTokenCount", "cached_content_token_count",
        "cachedInputTokens", "cache_read_input_tokens", "cacheReadInputTokens", "cache_n", "cacheReadTokens",
        "cache_read_tokens", "cache_read",
    ),
    "written": (
        "cache_creation_input_tokens", "cache_creation_tokens", "cache_write_input_tokens", "cache_write_tokens",
        "cacheWriteInputTokens", "cacheCreationInputTokens", "cacheWriteTokens", "cacheCreationTokens",
        "cache_creation", "cache_write",
    ),
    "written 5m": ("ephemeral_5m_input_tokens",),
    "written 1h": ("ephemeral_1h_input_tokens",),
    "tool input": ("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
}  # fmt: skip
DETAILS = (
    "prompt_tokens_details", "input_tokens_details", "input_token_details",
    "completion_tokens_details", "output_tokens_details", "output_token_details",
    "inputTokenDetails", "outputTokenDetails", "cache_creation", "cache_creation_token_details",
)  # fmt: skip
# Names under which the cached tokens, or those of reasoning, stand beside the others and not among them.
CACHED_BESIDE = ("input_tokens", "inputTokens", "prompt_n")
READ = (
    "cache_read_input_tokens", "cacheReadInputTokens", "cache_creation_input_tokens", "cache_n",
    "cacheWriteInputTokens", "cacheCreationInputTokens",
)  # fmt: skip
THOUGHT_BESIDE = ("thoughtsTokenCount", "thoughts_token_count")
_NAMES: Mapping[Part, frozenset[str]] = {part: frozenset(names) for part, names in NAMES.items()}
_COUNTED = frozenset((*DETAILS, *(name for names in NAMES.values() for name in names)))
KEYS = _COUNTED | {"usage", "x_groq", "message", "response", "usageMetadata", "usage_metadata", "timings"}
LARGEST = 20_000_000  # tokens: no model's context is as long
_NUMBER = re.compile(r"[+-]?[0-9.,]{1,24}([eE][+-]?[0-9]{1,6})?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_WHOLE = re.compile(r"\s*(-?\d{1,18})(?:\.0*)?\s*")


class Doubt(NamedTuple):
    """What is no number that could be meant: the value in short, and what is wrong with it."""

    value: str
    why: str


@dataclass(slots=True)
class Told:
    """What one record tells: parts by name, and those that can't be. `rank`: the place, the surest first."""

    rank: int
    parts: dict[Part, int] = field(default_factory=dict)
    doubts: dict[Part, Doubt] = field(default_factory=dict)
    cached_beside: bool = False
    thought_beside: bool = False


def tells(record: Mapping[str, JsonValue]) -> bool:
    """Whether a record may tell of usage: most pieces of an answer don't, and cost no more than this."""
    if not KEYS.isdisjoint(record):
        return True
    choices = record.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and first.get("usage") is not None


def told(record: Mapping[str, JsonValue]) -> Told | None:
    """The counts of a record, from the first place that has any; None where there are none."""
    places: tuple[JsonValue, ...] = (*_usages(record), dict(record), record.get("timings"))
    for rank, place in enumerate(places):
        for usage in _objects(place):
            found = _told(usage, rank)
            if found.parts or found.doubts:
                return found
    return None


def usages(record: Mapping[str, JsonValue]) -> Iterator[Mapping[str, JsonValue]]:
    """The objects of a record that are named as usage, the surest first."""
    for place in _usages(record):
        yield from _objects(place)


def _usages(record: Mapping[str, JsonValue]) -> Iterator[JsonValue]:
    yield record.get("usage")
    for name in ("x_groq", "message", "response"):
        inner = record.get(name)
        yield inner.get("usage") if isinstance(inner, dict) else None
    yield record.get("usageMetadata") or record.get("usage_metadata")
    choices = record.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    yield first.get("usage") if isinstance(first, dict) else None


def _objects(place: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    """`place` where it is an object; of a list the last one first, which knows the most."""
    for each in reversed(place) if isinstance(place, list) else (place,):
        if isinstance(each, dict):
            yield each


def _told(usage: Mapping[str, JsonValue], rank: int) -> Told:
    found = Told(rank)
    if _COUNTED.isdisjoint(usage):
        return found
    outer = [usage, *_details(usage)]
    places = [*outer, *(deeper for each in outer[1:] for deeper in _details(each))]
    named = {name: value for place in reversed(places) for name, value in place.items() if _is_count(name, value)}
    for part, names in NAMES.items():
        for name in () if _NAMES[part].isdisjoint(named) else names:
            if name not in named:
                continue
            match whole(named[name]):
                case int(count):
                    found.parts[part] = count
                    found.doubts.pop(part, None)
                    break
                case doubt:
                    found.doubts.setdefault(part, doubt)
    apart = [found.parts[part] for part in ("written 5m", "written 1h") if part in found.parts]
    if apart and "written" not in found.parts:
        found.parts["written"] = sum(apart)
    found.cached_beside = _has(usage, CACHED_BESIDE) and _has(usage, READ)
    found.thought_beside = _has(usage, THOUGHT_BESIDE)
    return found


def _is_count(name: str, value: JsonValue) -> bool:
    return value is not None and not (isinstance(value, dict) and name in DETAILS)


def _details(usage: Mapping[str, JsonValue]) -> list[Mapping[str, JsonValue]]:
    return [details for name in DETAILS if isinstance(details := usage.get(name), dict)]


def _has(usage: Mapping[str, JsonValue], names: tuple[str, ...]) -> bool:
    return any(usage.get(name) is not None for name in names if name in usage)


def whole(value: JsonValue) -> int | Doubt:
    """`value` as a number of tokens, also where it is written as text (`"12"`) or with a point (`12.0`)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Doubt(short(value), "that is no number")
    if isinstance(value, str) and (written := _WHOLE.fullmatch(value)):
        value = int(written[1])
    if isinstance(value, str) or not math.isfinite(value) or value != int(value):
        return Doubt(short(value), "that is no whole number")
    if value < 0:
        return Doubt(short(int(value)), "that is negative")
    return int(value) if value <= LARGEST else Doubt(short(int(value)), "that is more than any model's context")


def short(value: JsonValue) -> str:
    """`value` as it may be told: a number as it is, and of anything else nothing, which could be a secret."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if isinstance(value, bool | float) or _NUMBER.fullmatch(text) else "“…”"
