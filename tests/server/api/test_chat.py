"""Chat completions that are not streamed: what is asked of the model, and what the caller gets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from llamafarm.providers.policies.retry import Pauses
from llamafarm.server.api.bodies.answers import ChatCompletion, ErrorBody
from tests.faultserver.server import Exchange
from tests.faultserver.speech import USAGE, answer, chunk, ending, plays, refuses, said, thought
from tests.server.api.world import CHAT, HELLO, PROMPTED, SAYS, STRICT, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_an_answer_has_openais_form_and_ours(here: World) -> None:
    told = await here.ask(model="expert")
    body = ChatCompletion.model_validate(told.json())
    assert told.status_code == 200
    assert body.model == "expert"
    assert body.choices[0].message.content == "Llamas eat hay."
    assert body.choices[0].finish_reason == "stop"
    assert body.usage is not None
    assert body.usage.model_dump(exclude_none=True) == USAGE
    extension = body.llamafarm
    assert (extension.asked, extension.model, extension.provider, extension.model_id) == (
        "expert", "expert", "openai", "large")  # fmt: skip
    assert extension.route.strategy == "named"
    assert extension.usage_source == "reported"
    assert extension.cost is not None
    assert (extension.cost.usd, extension.cost.source) == (0.00025, "config")
    assert 0 < (extension.timings.ttft_s or 0) <= (extension.timings.total_s or 0)
    headers = told.headers
    assert headers["x-llamafarm-model"] == "expert"
    assert headers["x-llamafarm-provider"] == "openai"
    assert headers["x-llamafarm-route"] == "named"
    assert headers["x-llamafarm-cost-usd"] == "0.00025"
    assert float(headers["x-llamafarm-ttft-ms"]) > 0
    assert "x-llamafarm-fallbacks" not in headers
    assert headers["x-request-id"] == body.id


async def test_without_a_model_the_default_answers_also_at_the_short_address(here: World) -> None:
    for path in (CHAT, "/v1/chat/completions"):
        told = await here.ask(path)
        assert told.json()["model"] == "default"
        assert told.headers["x-llamafarm-route"] == "default"
        assert here.last.json()["model"] == "small"


async def test_auto_asks_the_routers_pick_and_says_why(here: World) -> None:
    told = await here.ask(
        model="auto",
        messages=[{"role": "system", "content": "Analyze and compare."}, {"role": "user", "content": "Where?"}],
    )
    assert told.json()["model"] == "fast"
    assert told.headers["x-llamafarm-route"] == "complexity"
    route = told.json()["llamafarm"]["route"]
    assert unquote(told.headers["x-llamafarm-route-reason"]) == route["reason"]
    assert "6 characters" in route["reason"]
    assert route["signals"]["keywords"] == []


async def test_unknown_cost_is_null_and_estimated_usage_is_marked(here: World) -> None:
    here.says(plays("openai", [said("openai", "Hay."), ending("openai", usage=None)]))
    told = await here.ask(model="fast")
    extension = told.json()["llamafarm"]
    assert extension["usage_source"] == "estimated"
    assert told.json()["usage"]["completion_tokens"] > 0
    assert (extension["cost"]["usd"], extension["cost"]["source"]) == (None, "unknown")
    assert "x-llamafarm-cost-usd" not in told.headers


async def test_a_fallback_answers_in_its_own_name(here: World) -> None:
    told = await here.ask(model="careful")
    body = ChatCompletion.model_validate(told.json())
    assert body.model == "default"
    assert body.llamafarm.asked == "careful"
    assert [(step.model, step.to, step.kind) for step in body.llamafarm.fallbacks] == [
        ("careful", "default", "ConnectFailed")
    ]
    assert told.headers["x-llamafarm-model"] == "default"
    assert told.headers["x-llamafarm-fallbacks"] == "careful>default;kind=ConnectFailed"


async def test_a_failed_try_stands_in_the_extension(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = here.services.runtime
    twice = replace(runtime.providers, pauses=Pauses(tries=2, first_s=0.001))
    monkeypatch.setattr(here.services, "runtime", replace(runtime, providers=twice))
    seen = len(here.upstream.requests)

    async def fails_once(exchange: Exchange) -> None:
        await (SAYS if len(here.upstream.requests) > seen + 1 else refuses(503, {"error": {"message": "busy"}}))(
            exchange
        )

    here.says(fails_once)
    ours = (await here.ask(model="expert")).json()["llamafarm"]
    assert [(each["attempt"], each["kind"]) for each in ours["retries"]] == [(2, "ServerFailed")]
    assert ours["reconnects"] == 0
    assert 0 < ours["lost_s"] == ours["timings"]["ttft_lost_s"] < ours["timings"]["ttft_s"]


async def test_reasoning_and_tool_calls_are_returned(here: World) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}
    pieces = [thought("openai", "Weather?"), chunk({"tool_calls": [call]}), ending("openai", "tool_calls")]
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    here.says(plays("openai", pieces))
    told = await here.ask(tools=[tool], tool_choice="required", parallel_tool_calls=False)
    assert here.last.json()["tools"] == [tool]
    assert here.last.json()["tool_choice"] == "required"
    assert here.last.json()["parallel_tool_calls"] is False
    body = ChatCompletion.model_validate(told.json())
    message = body.choices[0].message
    assert (message.content, message.reasoning_content) == (None, "Weather?")
    assert message.tool_calls is not None
    assert message.tool_calls[0].model_dump() == {
        "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}  # fmt: skip
    assert body.choices[0].finish_reason == "tool_calls"


async def test_a_finish_reason_of_the_servers_own_is_told_beside(here: World) -> None:
    here.says(plays("openai", [said("openai", "Hay."), ending("openai", "weary")]))
    told = ChatCompletion.model_validate((await here.ask()).json())
    assert told.choices[0].finish_reason == "stop"
    assert told.llamafarm.finish_reason == "weary"


# --- what is asked of the model


async def test_project_prompts_come_first_and_variables_fill_them(here: World) -> None:
    await here.ask(f"{PROMPTED}/chat/completions", variables={"who": "a llama"})
    assert here.last.json()["messages"] == [
        {"role": "system", "content": "You are a llama."}, {"role": "user", "content": "Hello"}]  # fmt: skip
    await here.ask(f"{PROMPTED}/chat/completions")
    assert here.last.json()["messages"][0]["content"] == "You are nice."


async def test_a_missing_variable_is_400(here: World) -> None:
    told = await here.ask(f"{STRICT}/chat/completions")
    assert told.status_code == 400
    assert told.json()["error"]["code"] == "invalid_request"
    assert "who" in told.json()["error"]["message"]
    assert here.upstream.requests == []


async def test_messages_of_all_roles_are_passed_on(here: World) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    picture = "data:image/png;base64,iVBORw0KGgo="
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "text", "text": "this"}], "name": "Ann"},
        {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": picture, "detail": "low"}}]},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "tool_call_id": "c1", "content": "It rains."},
    ]  # fmt: skip
    assert (await here.ask(messages=messages)).status_code == 200
    assert here.last.json()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Look:\nthis", "name": "Ann"},
        {"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": picture}}]},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "It rains.", "tool_call_id": "c1"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"temperature": 0}, {"temperature": 0, "max_tokens": 50}),
        ({"temperature": None}, {"temperature": 0.5, "max_tokens": 50}),
        ({"max_tokens": 7}, {"temperature": 0.5, "max_tokens": 7}),
        ({"max_tokens": 7.0}, {"temperature": 0.5, "max_tokens": 7}),
        ({"max_completion_tokens": 7}, {"temperature": 0.5, "max_tokens": 7}),
        ({"top_k": 3, "stop": ["x"], "seed": 1}, {"temperature": 0.5, "max_tokens": 50, "top_k": 3, "stop": ["x"], "seed": 1}),
        ({"response_format": {"type": "json_object"}, "logprobs": False, "n": 1}, {"temperature": 0.5, "max_tokens": 50, "response_format": {"type": "json_object"}}),
        ({"user": "u", "reasoning_effort": "low", "stream": None, "tools": None}, {"temperature": 0.5, "max_tokens": 50, "user": "u", "reasoning_effort": "low"}),
    ],
)  # fmt: skip
async def test_parameters_override_the_projects(here: World, given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert (await here.ask(model="fast", **given)).status_code == 200
    own = {"model", "messages", "stream", "stream_options"}
    assert {name: value for name, value in here.last.json().items() if name not in own} == sent


async def test_a_bound_goes_out_under_its_own_name_where_the_project_has_none(here: World) -> None:
    await here.ask(max_completion_tokens=7)
    assert here.last.json()["max_completion_tokens"] == 7
    assert "max_tokens" not in here.last.json()


# --- errors


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": None}, "messages", "list"),
        ({"messages": [{"role": "usr", "content": "x"}]}, "messages[0]", "role is system, developer"),
        ({"messages": [{"content": "x"}]}, "messages[0]", "role is system, developer"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "required"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "string"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]", "text or image_url"),
        ({"messages": [{"role": "system", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type", "text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]}]}, "messages[0].content[0].image_url.url", "data:image"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "required"),
        ({"temperature": "hot"}, "temperature", "number"),
        ({"n": 2}, "n", "compare"),
        ({"logprobs": True}, "logprobs", "not returned"),
        ({"functions": []}, "functions", "tools"),
        ({"tools": [{"type": "web"}]}, "tools[0].type", "function"),
        ({"stream": "yes"}, "stream", "boolean"),
        ({"tool_choice": 5}, "tool_choice", "auto, none, required"),
        ({"stop": 5}, "stop", "string"),
        ({"stop": ["x", 5]}, "stop[1]", "string"),
        ({"variables": {"who": ["a"]}}, None, "who"),
    ],
)  # fmt: skip
async def test_a_wrong_request_is_400_with_its_place(
    here: World, body: dict[str, Any], param: str | None, words: str
) -> None:
    told = await here.client.post(f"{PROMPTED}/chat/completions", json=HELLO | body)
    assert told.status_code == 400
    error = ErrorBody.model_validate(told.json()).error
    assert error.type == "invalid_request_error"
    assert error.param == param
    assert words in error.message
    assert here.upstream.requests == []


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"x"', b"null", b'{"messages": NaN}', b'{"model": "\\ud800"}', b"\xff"]
)
async def test_what_is_not_json_is_400(here: World, data: bytes) -> None:
    told = await here.client.post(CHAT, content=data, headers={"content-type": "application/json"})
    assert told.status_code == 400
    ErrorBody.model_validate(told.json())


async def test_letters_in_another_coding_are_told(here: World) -> None:
    data = json.dumps(HELLO).replace("Hello", "é").encode("latin-1")
    told = await here.client.post(CHAT, content=data, headers={"content-type": "application/json; charset=iso-8859-1"})
    assert (told.status_code, "it is not UTF-8 (byte" in told.json()["error"]["message"]) == (400, True)


async def test_what_clients_send_back_of_a_refusal_is_its_text(here: World) -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I can't."}], "refusal": None}
    assert (await here.ask(messages=[*HELLO["messages"], refused, *HELLO["messages"]])).status_code == 200
    assert here.last.json()["messages"][1] == {"role": "assistant", "content": "I can't."}


@pytest.mark.parametrize("kind", ["image/PNG", "image/svg+xml", "image/x-icon"])
async def test_pictures_of_any_kind_by_any_spelling(here: World, kind: str) -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:{kind};base64,iVBORw0KGgo=", "detail": "auto"}}
    assert (await here.ask(messages=[{"role": "user", "content": [part]}])).status_code == 200
    sent = here.last.json()["messages"][0]["content"][1]["image_url"]["url"]
    assert sent == f"data:{kind.lower()};base64,iVBORw0KGgo="


async def test_an_unknown_model_is_404_and_lists_the_names(here: World) -> None:
    told = await here.ask(model="gpt-4")
    assert told.status_code == 404
    error = told.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "default, expert, fast, gone, careful, keyless, hasty, auto" in error["message"]


async def test_an_unknown_project_is_404_and_lists_the_projects(here: World) -> None:
    told = await here.ask("/v1/projects/default/other/chat/completions")
    assert told.status_code == 404
    assert told.json()["error"]["code"] == "project_not_found"
    assert "default/my-project" in told.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "expected", "code", "again"),
    [
        (400, {"error": {"message": "bad"}}, 400, "upstream_rejected_request", True),
        (400, {"error": {"message": "maximum context length is 8"}}, 400, "context_length_exceeded", True),
        (401, {"error": {"message": "bad key"}}, 502, "upstream_auth_failed", False),
        (403, {"error": {"message": "not yours"}}, 502, "upstream_auth_failed", False),
        (404, {"error": {"message": "no such model"}}, 502, "upstream_model_not_found", False),
        (429, {"error": {"message": "slow down"}}, 429, "rate_limit_exceeded", True),
        (500, {"error": {"message": "broken"}}, 502, "upstream_failed", True),
        (200, "<html>", 502, "upstream_bad_answer", False),
    ],
)  # fmt: skip
async def test_the_model_servers_errors_keep_their_meaning(
    here: World, status: int, body: Any, expected: int, code: str, again: bool, stream: bool
) -> None:
    kind = "text/html" if isinstance(body, str) else "application/json"
    here.says(refuses(status, body, kind, retry_after="7"))
    told = await here.ask(model="expert", stream=stream)
    assert told.status_code == expected
    assert told.headers["content-type"] == "application/json"
    error = ErrorBody.model_validate(told.json())
    assert error.error.code == code
    assert (told.headers.get("x-should-retry") != "false") is again
    assert error.llamafarm is not None
    assert error.llamafarm.model == "expert"
    assert "sk-literal-secret" not in told.text
    if expected == 429:
        assert told.headers["retry-after"] == "7"


@pytest.mark.parametrize(
    ("model", "status", "code"), [("gone", 502, "upstream_unreachable"), ("keyless", 503, "model_unusable")]
)
async def test_models_that_cannot_be_asked(here: World, model: str, status: int, code: str) -> None:
    told = await here.ask(model=model)
    assert (told.status_code, told.json()["error"]["code"]) == (status, code)


async def test_a_time_out_is_504(here: World) -> None:
    here.says(plays("openai", [], then="hang"))
    told = await here.ask(model="hasty")
    assert (told.status_code, told.json()["error"]["code"]) == (504, "upstream_timeout")


async def test_what_had_come_before_a_cut_is_told(here: World) -> None:
    here.says(plays("openai", answer("openai", "Llamas ", "eat")[:2], then="cut"))
    told = await here.ask()
    assert (told.status_code, told.json()["error"]["code"]) == (502, "upstream_interrupted")
    assert ErrorBody.model_validate(told.json()).llamafarm is not None
    assert told.json()["llamafarm"]["partial_content"] == "Llamas eat"


@pytest.mark.parametrize("name", ["models", "prompt", "chat_template", "fallbacks"])
async def test_what_would_be_another_question_is_no_parameter(here: World, name: str) -> None:
    told = await here.ask(CHAT, **{name: "x"})
    assert (told.status_code, told.json()["error"]["param"]) == (400, name)
    assert here.upstream.requests == []
