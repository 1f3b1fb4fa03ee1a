"""The openai package against the API, sync and async: what most programs use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
import pytest_asyncio

from tests.faultserver.speech import answer, chunk, ending, plays, refuses, thought
from tests.server.api.world import PROJECT, World

pytestmark = pytest.mark.asyncio(loop_scope="package")

MESSAGES: list[Any] = [{"role": "user", "content": "Hello"}]
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL = {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}


@pytest_asyncio.fixture(loop_scope="package")
async def client(here: World) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{here.url}{PROJECT}", api_key="none", max_retries=0) as opened:
        yield opened


async def in_thread(here: World, work: Callable[[openai.OpenAI], Any]) -> Any:
    """`work` with the synchronous client, at the short address."""

    def run() -> Any:
        with openai.OpenAI(base_url=f"{here.url}/v1", api_key="none", max_retries=0) as opened:
            return work(opened)

    return await asyncio.to_thread(run)


async def test_a_whole_answer(client: openai.AsyncOpenAI) -> None:
    told = await client.chat.completions.create(model="expert", messages=MESSAGES, temperature=0)
    assert told.choices[0].message.content == "Llamas eat hay."
    assert told.model == "expert"
    assert told.usage is not None
    assert told.usage.total_tokens == 18
    assert told._request_id == told.id
    assert told.model_extra is not None
    assert told.model_extra["llamafarm"]["cost"]["source"] == "config"


async def test_a_stream(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="default", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    told = [each async for each in stream]
    assert "".join(each.choices[0].delta.content or "" for each in told if each.choices) == "Llamas eat hay."
    assert told[-1].usage is not None
    assert told[-1].usage.completion_tokens == 7
    assert told[-2].choices[0].finish_reason == "stop"
    assert {each.model for each in told} == {"default"}


async def test_the_packages_own_accumulation_of_a_stream(here: World, client: openai.AsyncOpenAI) -> None:
    pieces = [thought("openai", "Hm."), chunk({"tool_calls": [CALL]}), ending("openai", "tool_calls")]
    here.says(plays("openai", pieces))
    async with client.chat.completions.stream(model="default", messages=MESSAGES, tools=[TOOL]) as stream:
        told = await stream.get_final_completion()
    assert told.choices[0].finish_reason == "tool_calls"
    calls = told.choices[0].message.tool_calls
    assert calls is not None
    assert (calls[0].id, calls[0].function.name, calls[0].function.arguments) == (
        "call_1", "weather", '{"city":"Bonn"}')  # fmt: skip


async def test_a_tool_loop_as_programs_run_it(here: World, client: openai.AsyncOpenAI) -> None:
    here.says(plays("openai", [chunk({"tool_calls": [CALL]}), ending("openai", "tool_calls")]))
    first = await client.chat.completions.create(model="default", messages=MESSAGES, tools=[TOOL], tool_choice="auto")
    message = first.choices[0].message
    assert message.tool_calls is not None
    here.says(plays("openai", answer("openai", "It rains.")))
    messages = [*MESSAGES, message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}]
    second = await client.chat.completions.create(model="default", messages=messages, tools=[TOOL])
    assert second.choices[0].message.content == "It rains."
    assert [each["role"] for each in here.last.json()["messages"]] == ["user", "assistant", "tool"]
    assert here.last.json()["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"city":"Bonn"}'


async def test_the_synchronous_client(here: World) -> None:
    def work(client: openai.OpenAI) -> tuple[Any, list[Any], list[str]]:
        whole = client.chat.completions.create(model="fast", messages=MESSAGES)
        stream = client.chat.completions.create(model="auto", messages=MESSAGES, stream=True)
        return whole, list(stream), [model.id for model in client.models.list()]

    whole, pieces, models = await in_thread(here, work)
    assert whole.choices[0].message.content == "Llamas eat hay."
    assert "".join(each.choices[0].delta.content or "" for each in pieces) == "Llamas eat hay."
    assert models == ["default", "expert", "fast", "gone", "careful", "keyless", "hasty", "auto"]


async def test_one_model_by_its_name(here: World) -> None:
    told = await in_thread(here, lambda client: client.models.retrieve("expert"))
    assert (told.id, told.owned_by) == ("expert", "openai")
    with pytest.raises(openai.NotFoundError, match="there is: default, expert"):
        await in_thread(here, lambda client: client.models.retrieve("nobody"))


@pytest.mark.parametrize(
    ("model", "refusal", "error"),
    [
        ("nobody", None, openai.NotFoundError),
        ("keyless", None, openai.InternalServerError),
        ("default", (400, {"error": {"message": "bad"}}), openai.BadRequestError),
        ("default", (429, {"error": {"message": "slow"}}), openai.RateLimitError),
        ("default", (500, {"error": {"message": "broken"}}), openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_errors_have_the_packages_own_classes(
    here: World, client: openai.AsyncOpenAI, model: str, refusal: Any, error: type[openai.APIStatusError], stream: bool
) -> None:
    if refusal:
        here.says(refuses(*refusal))
    with pytest.raises(error) as caught:
        await client.chat.completions.create(model=model, messages=MESSAGES, stream=stream)
    assert caught.value.code
    assert isinstance(caught.value.body, dict)


async def test_an_error_in_mid_stream_raises(here: World, client: openai.AsyncOpenAI) -> None:
    here.says(plays("openai", answer("openai", "Llamas ", "eat")[:2], then="cut"))
    stream = await client.chat.completions.create(model="default", messages=MESSAGES, stream=True)
    told: list[str | None] = []

    async def read() -> None:
        async for each in stream:
            told.append(each.choices[0].delta.content)  # noqa: PERF401 - what came before the error is looked at

    with pytest.raises(openai.APIError, match="cut the connection") as caught:
        await read()
    assert told[0] == ""
    assert "".join(piece or "" for piece in told) == "Llamas eat"
    assert caught.value.code == "upstream_interrupted"


async def test_extras_headers_and_variables(here: World, client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(
        model="default",
        messages=MESSAGES,
        extra_body={"variables": {"who": "x"}, "top_k": 5},
        extra_headers={"X-Session-ID": "package"},
    )
    assert raw.headers["x-llamafarm-model"] == "default"
    assert raw.headers["x-session-id"] == "package"
    assert here.last.json()["top_k"] == 5
    assert "variables" not in here.last.json()


async def test_the_package_tries_again_where_that_may_help(here: World) -> None:
    async with openai.AsyncOpenAI(base_url=f"{here.url}/v1", api_key="none", max_retries=1) as patient:
        here.says(refuses(500, {"error": {"message": "broken"}}))
        with pytest.raises(openai.InternalServerError):
            await patient.chat.completions.create(model="default", messages=MESSAGES)
        assert len(here.upstream.requests) == 2
        here.says(refuses(401, {"error": {"message": "bad key"}}))
        with pytest.raises(openai.InternalServerError):
            await patient.chat.completions.create(model="default", messages=MESSAGES)
        assert len(here.upstream.requests) == 3
