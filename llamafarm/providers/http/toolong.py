"""Recognises a refused prompt that exceeds the context: its tokens, the context, and the option to raise. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from llamafarm.config.model import NamedModel
from llamafarm.core.tokens import estimate_messages
from llamafarm.core.types import ChatRequest, JsonValue
from llamafarm.providers.http.said import objects

CONTEXT = re.compile(
    r"context[ _-]?(length|size|window)|exceed_context|maximum context|too many tokens|prompt is too long"
    r"|max_model_len|input token count|exceeds the maximum number of tokens|prompt contains \d+ tokens"
    r"|tokens?` \+ `max_new_tokens",
    re.IGNORECASE,
)
PROMPT = ("n_prompt_tokens", "prompt_tokens", "input_tokens")
ROOM = ("n_ctx", "total_context", "context_length", "max_context_length", "max_model_len")
_N = r"(\d[\d,]*)"
# Both in words: of llama.cpp, Anthropic, Gemini, Mistral and SGLang; then of OpenAI, vLLM and TGI.
_PROMPT_FIRST = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        rf"\({_N} tokens\) exceeds the available context size \({_N}",
        rf"prompt is too long: {_N} tokens > {_N}",
        rf"input token count \(?{_N}\)? exceeds the maximum number of tokens allowed \(?{_N}",
        rf"prompt contains {_N} tokens.{{0,80}}?with {_N}",
        rf"input \({_N} tokens\) is longer than the model's context length \({_N}",
    )
)
_ROOM_FIRST = tuple(
    re.compile(words, re.IGNORECASE | re.DOTALL)
    for words in (
        rf"context length is {_N} tokens.{{0,80}}?\({_N} in (?:the|your) (?:messages|prompt)",
        rf"context length is {_N} tokens.{{0,120}}?(?:resulted in|contains(?: at least)?|requested(?: about)?) {_N}",
        rf"must be <= {_N}\. Given: {_N} `inputs`",
    )
)
_ANSWER = re.compile(r"(max_tokens|max_completion_tokens).{0,60}(greater than|exceeds|too large)", re.IGNORECASE)
_VLLM = re.compile(r"max_model_len|contains at least|parameter=input_tokens", re.IGNORECASE)
_SGLANG = re.compile(r"longer than the model's context length", re.IGNORECASE)
_LLAMACPP = re.compile(r"exceed_context_size|available context size", re.IGNORECASE)


class Fit(NamedTuple):
    """Tokens of the prompt and of the context, as far as the server tells them."""

    prompt: int | None
    context: int | None

    def told(self, request: ChatRequest, model: NamedModel) -> str:
        """Both in a sentence; what the server leaves out is estimated, or what it was asked for."""
        asked = request.parameters.get("num_ctx", request.parameters.get("n_ctx"))
        room = self.context or (asked if isinstance(asked, int) else model.context_window)
        about = "" if self.prompt else "about "
        given = self.prompt or estimate_messages(request.messages)
        return f"The prompt has {about}{given:,} tokens" + (f", the context {room:,}." if room else ".")


def fit(body: JsonValue, text: str) -> Fit:
    """What the server tells of both, as numbers of their own or in its words."""
    for each in objects(body if body is not None else text):
        prompt, context = _number(each, PROMPT), _number(each, ROOM)
        if prompt or context:
            return Fit(prompt, context)
    for pattern in _PROMPT_FIRST:
        if found := pattern.search(text):
            return Fit(_int(found[1]), _int(found[2]))
    for pattern in _ROOM_FIRST:
        if found := pattern.search(text):
            return Fit(_int(found[2]), _int(found[1]))
    alone = re.search(rf"(?:context length is|max_model_len=){_N}", text)
    return Fit(None, _int(alone[1]) if alone else None)


def advice(model: NamedModel, text: str) -> str:
    """What to do: the option to raise by the name that the server has for it, where it is known."""
    if _ANSWER.search(text):
        return f"Lower max_tokens{', or raise --max-model-len of vLLM' if _VLLM.search(text) else ''}."
    option = _option(model, text)
    return f"Shorten the prompt, or raise {option}." if option else "Shorten it, or ask a model with a longer context."


def _option(model: NamedModel, text: str) -> str:
    if (option := model.profile.context_option) is not None:
        return option
    if _LLAMACPP.search(text):
        return "--ctx-size (n_ctx) of llama.cpp's server, or num_ctx where Ollama stands behind it"
    if _VLLM.search(text):
        return "--max-model-len of vLLM"
    return "--context-length of SGLang" if _SGLANG.search(text) else ""


def _number(body: Mapping[str, JsonValue], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _int(digits: str) -> int | None:
    return int(digits.replace(",", "")) if len(digits) <= 15 else None  # noqa: PLR2004 - longer is no count
