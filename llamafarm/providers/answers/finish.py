"""Why an answer ended: the words of servers in those of OpenAI, and which of them mean that it failed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

# Words of Anthropic, Gemini, Cohere, Mistral, Hugging Face and others that mean the same.
SAME: Mapping[str, str] = {
    "end_turn": "stop", "eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "complete": "stop", "stop": "stop",
    "completed": "stop", "finish_reason_stop": "stop",
    "max_tokens": "length", "model_length": "length", "max_length": "length", "length": "length",
    "max_output_tokens": "length", "token_limit": "length",
    "tool_use": "tool_calls", "tool_call": "tool_calls", "tool_calls": "tool_calls", "function_call": "tool_calls",
    "content_filter": "content_filter", "content_filtered": "content_filter", "safety": "content_filter",
    "refusal": "content_filter", "recitation": "content_filter", "blocklist": "content_filter",
    "prohibited_content": "content_filter", "sensitive": "content_filter",
}  # fmt: skip
FAILED = (
    "error", "failed", "failure", "abort", "aborted", "cancelled", "canceled", "error_toxic", "error_limit",
    "insufficient_system_resource", "malformed_function_call", "network_error", "timeout", "internal_error",
)  # fmt: skip


def meant(reason: str) -> str:
    """A reason in OpenAI's words where they have one; else the server's own."""
    return SAME.get(reason.lower(), reason)


def is_failure(reason: str) -> bool:
    """Whether an answer that ended for this reason failed."""
    return reason.lower() in FAILED
