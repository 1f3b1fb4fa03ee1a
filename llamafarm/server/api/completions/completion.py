"""A whole answer in OpenAI's form. Pure."""

from __future__ import annotations

from typing import Any

from llamafarm.core.reply import Reply
from llamafarm.core.types import ToolCall
from llamafarm.server.api.completions.trace import Trace, usage_json


def completion_json(trace: Trace, reply: Reply, name: str, created: int) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    reason = trace.finish_reason(reply)
    choice = {"index": 0, "message": _message(trace, reply), "finish_reason": reason, "logprobs": None}
    return {
        "id": name,
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [choice],
        "usage": usage_json(reply.usage),
        "llamafarm": trace.last(reply),
    }


def _message(trace: Trace, reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if calls := trace.calls(reply):
        message["tool_calls"] = [call_json(call) for call in calls]
        message["content"] = reply.text or None
    return message


def call_json(call: ToolCall) -> dict[str, Any]:
    """A tool call in OpenAI's form."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
