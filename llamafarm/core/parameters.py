"""The names that no model parameter may have, since they set the model, the question or the answer's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from llamafarm.core.errors import RequestError
from llamafarm.core.types import ChatRequest, JsonValue

# Fields of OpenAI's and Ollama's chat requests, and of servers like them, that the playground itself fills in or that
# would put another model, other messages or another form in their place: what was recorded would not be what was asked.
RESERVED = {
    "model": "the named model says it",
    "models": "the named model says it",
    "fallbacks": "the project file says it (`fallback`)",
    "messages": "they are the prompts and the question",
    "prompt": "it is among the messages",
    "input": "it is among the messages",
    "chat_template": "the model's server has it",
    "stream": "answers always come as streams",
    "stream_options": "the playground asks for the counts itself",
    "tools": "they are the project's, or the request's own",
    "functions": "they are the project's, or the request's own, as `tools`",
    "function_call": "`tool_choice` is the newer form",
    "n": "one answer is given to a request",
    "n_cmpl": "one answer is given to a request",
    "best_of": "one answer is given to a request",
}
# What bounds the length of an answer, by the names that servers have for it.
LENGTH_BOUNDS = ("max_tokens", "max_completion_tokens", "num_predict")
# What says how tools may be called: nothing, where there are none, and OpenAI's servers refuse it then.
OF_TOOLS = ("tool_choice", "parallel_tool_calls")
# What not even the operator's `extra_body` may change. The rest is left to it: servers differ in what they know.
OURS = frozenset({"model", "messages", "stream", "tools", "n"})


def reserved(names: Iterable[str], among: Iterable[str] = RESERVED) -> str | None:
    """What is wrong with the first of `names` that is no parameter, in a sentence; None where all are."""
    kept = set(among)
    name = next((name for name in names if name.strip() in kept), None)
    return None if name is None else f"`{name.strip()}` is no parameter: {RESERVED[name.strip()]}."


def check_parameters(parameters: Mapping[str, JsonValue]) -> None:
    """Raise RequestError where one of `parameters` that has a value is none."""
    wrong = reserved(name for name, value in parameters.items() if value is not None)
    if wrong:
        raise RequestError(wrong, hint="Leave it out of the parameters.")


def without_tools(request: ChatRequest) -> ChatRequest:
    """`request` without its tools, and without what says how to call them."""
    if not request.tools and not any(name in request.parameters for name in OF_TOOLS):
        return request
    kept = {name: value for name, value in request.parameters.items() if name not in OF_TOOLS}
    return replace(request, tools=(), parameters=kept)
