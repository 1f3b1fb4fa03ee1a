"""What a piece of an answer consists of: text, reasoning and calls, in the forms that servers give them. Pure.

A piece is text, or a list of parts as in OpenAI's responses, Anthropic's messages, Mistral's and Gemini's answers. A
part that holds no text is named, so that nobody takes what came for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from llamafarm.core.types import JsonValue

Kind = Literal["text", "reasoning", "call"]
TEXTS = ("text", "output_text", "refusal", "content", "value", "transcript")
THOUGHTS = ("thinking", "reasoning", "text", "summary", "content", "reasoning_content")
CALLS = ("tool_use", "tool_call", "function_call", "function")
SILENT = ("redacted_thinking", "reasoning.encrypted", "reference", "step_start", "step_finish")


class Part(NamedTuple):
    """A part: its text, or the call that it is."""

    kind: Kind
    text: str = ""
    call: Mapping[str, JsonValue] | None = None


def parts(content: JsonValue) -> Iterator[Part]:
    """The parts of a piece, in their order; none for an empty one."""
    match content:
        case None | bool() | "":
            return
        case str() | int() | float():
            yield Part("text", str(content))
        case list():
            for each in content:
                yield from parts(each)
        case dict():
            yield from _part(content)


def reasoning_of(value: JsonValue) -> str:
    """The text of reasoning, which may be text, an object or a list of them."""
    return _flat(value, THOUGHTS)


def _part(part: Mapping[str, JsonValue]) -> Iterator[Part]:
    kind = str(part.get("type") or "")
    if kind in SILENT or not part:
        return
    if kind in CALLS or "functionCall" in part:
        yield Part("call", call=part)
        return
    thinks = "thinking" in kind or "reason" in kind or part.get("thought") is True or kind == "summary_text"
    text = _flat(dict(part), THOUGHTS if thinks else TEXTS)
    if text:
        yield Part("reasoning" if thinks else "text", text)
    elif not thinks and not any(isinstance(part.get(name), str) for name in TEXTS):
        yield Part("text", f"(a part of type {kind or 'unknown'}, which is not shown)")


def _flat(value: JsonValue, names: tuple[str, ...]) -> str:
    match value:
        case str():
            return value
        case list():
            return "".join(_flat(each, names) for each in value)
        case dict():
            return next((text for name in names if (text := _flat(value.get(name), names))), "")
        case _:
            return ""
