"""What callers may ask of llama.cpp: nothing that ends or holds its process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from llamafarm.config.profiles import BUNDLED
from llamafarm.config.project import parse
from llamafarm.core.errors import RequestRejected
from llamafarm.core.events import Finished
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.providers.embedded.limits import check_request
from tests.providers.helpers import ask, named

HELLO = (Message("user", "Say hi."),)


def schema(value: Any) -> dict[str, JsonValue]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": value}}}


def doubled(levels: int) -> Any:
    """`levels` definitions, each a choice of twice the next: small to write, without end to expand."""
    definitions: dict[str, Any] = {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": {**definitions, f"a{levels}": {"type": "string"}}}


def nested(levels: int, around: Callable[[Any], Any]) -> Any:
    part: Any = {"type": "string"}
    for _ in range(levels):
        part = around(part)
    return part


REFUSED: dict[str, dict[str, Any]] = {
    "grammar": {"grammar": 'root ::= ("a"{1,1000}){1,1000}'},
    "lazy grammar": {"grammar_lazy": True, "grammar_triggers": [{"type": 2, "value": "(a+)+$"}]},
    "chat template": {"chat_template": "{% for i in range(1000000000) %}a{% endfor %}"},
    "adapters": {"lora": [{"id": 0, "scale": 1}]},
    "somebody's slot": {"id_slot": 1},
    "without end": {"n_predict": -1},
    "tokens": {"max_tokens": 10**9},
    "tokens as text": {"max_tokens": "many"},
    "true is no number": {"temperature": True},
    "not a number": {"temperature": float("nan")},
    "infinite": {"mirostat_tau": float("inf")},
    "probabilities": {"n_probs": 1_000_000},
    "biases": {"logit_bias": {str(token): 1 for token in range(40_000)}},
    "biases as a list": {"logit_bias": [[-5, 1]]},
    "stops": {"stop": ["x"] * 20_000},
    "a long stop": {"stop": "x" * 100_000},
    "template code": {"chat_template_kwargs": {"a": "{{ range(10**9)|list }}"}},
    "drafts": {"speculative.n_max": 10**9},
    "repeat window": {"repeat_last_n": 2**31 - 1},
    "nested choices": schema(nested(12, lambda part: {"anyOf": [part, part]})),
    "choices by reference": schema(doubled(30)),
    "a long enum": schema({"enum": [f"v{i}" for i in range(5000)]}),
    "an enum of numbers": schema({"enum": list(range(5000))}),
    "many properties": schema({"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(400)}}),
    "deep": schema(nested(900, lambda part: {"type": "array", "items": part})),
    "repeats": schema({"type": "string", "minLength": 1_000_000}),
    "a long pattern": schema({"type": "string", "pattern": "(" * 3000 + "a" + ")" * 3000}),
    "llama.cpp's own name": {"json_schema": {"enum": list(range(5000))}},
    "another form": {"response_format": {"type": "json_object", "schema": {"enum": list(range(5000))}}},
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_hold_the_process_is_refused(case: str) -> None:
    with pytest.raises(RequestRejected) as told:
        check_request(ChatRequest(HELLO, REFUSED[case]))
    assert "take" in told.value.message
    assert told.value.hint


def test_tools_are_schemas_too() -> None:
    tool: dict[str, Any] = {"type": "function", "function": {"name": "t", "parameters": {"enum": list(range(5000))}}}
    with pytest.raises(RequestRejected, match="schema"):
        check_request(ChatRequest(HELLO, {}, (tool,)))


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 50}, "friends": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name"],
}
USUAL: list[dict[str, JsonValue]] = [
    {"temperature": 0.7, "top_p": 1, "max_tokens": 200, "seed": 7, "stop": ["\n", "END"], "presence_penalty": -0.5},
    {"top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1, "repeat_last_n": 64, "logit_bias": {"15": -100}},
    {"response_format": {"type": "json_object"}},
    schema(PERSON),
    schema({"enum": ["yes", "no"]}),
    {"tool_choice": "auto", "parallel_tool_calls": False, "chat_template_kwargs": {"enable_thinking": False}},
]


@pytest.mark.parametrize("parameters", USUAL)
def test_what_people_send_is_taken(parameters: dict[str, JsonValue]) -> None:
    check_request(ChatRequest(HELLO, parameters))


def test_an_untrusted_file_sends_no_raw_fields_to_llama_cpp() -> None:
    text = f"runtime:\n  models:\n    - {{name: a, provider: embedded, model: {BUNDLED}, extra_body: {{grammar: x}}}}\n"
    untrusted, trusted = (parse(text, trusted=each).project for each in (False, True))
    assert untrusted is not None
    assert trusted is not None
    assert not untrusted.models[0].usable
    assert trusted.models[0].usable


@pytest.mark.parametrize("case", ["grammar", "nested choices"])
async def test_the_process_answers_the_next_caller(case: str) -> None:
    model = named("embedded", "", model=BUNDLED, api_key=None, key_variable=None)
    events, error = await ask(model, request=ChatRequest(HELLO, REFUSED[case]))
    assert isinstance(error, RequestRejected)
    assert events == []
    async with asyncio.timeout(60):
        events, error = await ask(model, request=ChatRequest(HELLO, {"max_tokens": 4}))
    assert error is None
    assert isinstance(events[-1], Finished)
