"""Adds the options by which a server refuses a prompt that is too long, instead of cutting it. Pure.

Ollama cuts it in silence (`truncate`), LlamaFarm's Universal runtime shortens or sums it up (`auto_truncate`), and
OpenRouter takes messages out of its middle for models of up to 8,192 tokens, and wherever an account's settings have
its plugin on (https://openrouter.ai/docs/features/message-transforms). vLLM, llama.cpp, SGLang, OpenAI, Anthropic,
Gemini, Groq, Mistral and Together refuse by themselves; TGI's `truncate` and vLLM's `truncate_prompt_tokens` cut only
where they are sent. LM Studio's overflow policy belongs to the loaded model and can't be told in a request: there, and
with servers that don't know these fields, the count of the prompt tells (see `usage`).
"""

from __future__ import annotations

from collections.abc import Mapping

from llamafarm.config.model import NamedModel
from llamafarm.core.addresses import host_of
from llamafarm.core.types import JsonValue

OPENROUTER = "openrouter.ai"
COMPRESSION = "context-compression"


def refusing(model: NamedModel, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields to add to `given`, which the project gives: its own word on them stands, also a null."""
    if field := model.profile.refuses_by:
        return {} if field in given else {field: False}
    host = host_of(model.base_url or "")
    if host != OPENROUTER and not host.endswith(f".{OPENROUTER}"):
        return {}
    plugins = given.get("plugins", [])
    named = [plugin.get("id") for plugin in plugins if isinstance(plugin, dict)] if isinstance(plugins, list) else None
    if named is None or COMPRESSION in named or given.get("transforms"):
        return {}
    return {"plugins": [*(plugins if isinstance(plugins, list) else []), {"id": COMPRESSION, "enabled": False}]}
