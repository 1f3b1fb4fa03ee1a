"""Streamed chat completions: the bytes, as curl sees them, and what happens when something breaks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from llamafarm.server.api.bodies.answers import ChatCompletionChunk, ErrorBody
from tests.faultserver.speech import USAGE, answer, chunk, ending, event, plays, refuses, said, thought
from tests.server.api.world import CHAT, HELLO, PROJECT, World, world

pytestmark = pytest.mark.asyncio(loop_scope="package")

INCLUDE_USAGE = {"stream_options": {"include_usage": True}}


async def curl(url: str, body: dict[str, Any]) -> tuple[list[str], bytes]:
    """The lines of the response's head, and its body, byte by byte as curl got them."""
    command = ["curl", "--silent", "--no-buffer", "--include", "--json", "@-", url]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(orjson.dumps(body))
    head, _, data = output.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), data


def events(data: bytes) -> list[Any]:
    """The JSON of each event; [DONE] as text."""
    assert data.endswith(b"\n\n")
    told = [event.removeprefix(b"data: ") for event in data.split(b"\n\n")[:-1]]
    return [each.decode() if each == b"[DONE]" else orjson.loads(each) for each in told]


def chunks(data: bytes) -> list[ChatCompletionChunk]:
    """A whole stream's chunks."""
    *told, done = events(data)
    assert done == "[DONE]"
    return [ChatCompletionChunk.model_validate(each) for each in told]


async def test_the_bytes_are_those_of_an_openai_stream(here: World) -> None:
    head, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True, "model": "expert"})
    assert head[0] == "HTTP/1.1 200 OK"
    names = dict(line.split(": ", 1) for line in head[1:])
    assert names["content-type"] == "text/event-stream; charset=utf-8"
    assert names["cache-control"] == "no-cache"
    assert (names["x-llamafarm-model"], names["x-llamafarm-route"]) == ("expert", "named")
    assert float(names["x-llamafarm-ttft-ms"]) > 0
    first, *words, last = chunks(data)
    assert first.choices[0].delta.model_dump(exclude_none=True) == {"role": "assistant", "content": ""}
    assert "".join(word.choices[0].delta.content or "" for word in words) == "Llamas eat hay."
    assert {each.choices[0].finish_reason for each in (first, *words)} == {None}
    assert (last.choices[0].finish_reason, last.choices[0].delta.model_dump(exclude_none=True)) == ("stop", {})
    assert {(each.id, each.model, each.object) for each in (first, *words, last)} == {
        (names["x-request-id"], "expert", "chat.completion.chunk")
    }
    assert {each.usage for each in (first, *words, last)} == {None}


async def test_the_first_chunk_tells_who_answers_and_the_last_what_it_cost(here: World) -> None:
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True, "model": "careful"})
    first, *_, last = chunks(data)
    assert first.llamafarm is not None
    assert last.llamafarm is not None
    assert (first.model, first.llamafarm.asked, first.llamafarm.model) == ("default", "careful", "default")
    assert [step.kind for step in first.llamafarm.fallbacks] == ["ConnectFailed"]
    assert first.llamafarm.timings.ttft_s is not None
    assert (first.llamafarm.cost, first.llamafarm.usage_source) == (None, None)
    assert last.llamafarm.cost is not None
    assert (last.llamafarm.cost.usd, last.llamafarm.cost.source) == (0.000025, "config")
    assert last.llamafarm.usage_source == "reported"
    assert last.llamafarm.timings.ttft_s == first.llamafarm.timings.ttft_s


async def test_usage_comes_where_it_is_asked_for(here: World) -> None:
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True} | INCLUDE_USAGE)
    *others, usage = events(data)[:-1]
    assert [each["usage"] for each in others] == [None] * len(others)
    assert usage["choices"] == []
    assert usage["usage"] == USAGE


async def test_reasoning_and_tool_calls_have_their_own_deltas(here: World) -> None:
    calls = [
        {"index": index, "id": f"call_{index}", "function": {"name": "f", "arguments": '{"x":1}'}} for index in (0, 1)
    ]
    here.says(plays("openai", [thought("openai", "Hm"), chunk({"tool_calls": calls}), ending("openai", "tool_calls")]))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    told = [each.choices[0].delta for each in chunks(data)]
    assert told[1].reasoning_content == "Hm"
    made = [call.model_dump() for delta in told for call in delta.tool_calls or []]
    function = {"name": "f", "arguments": '{"x":1}'}
    assert made == [
        {"index": 0, "id": "call_0", "type": "function", "function": function},
        {"index": 1, "id": "call_1", "type": "function", "function": function},
    ]
    assert chunks(data)[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("text", ["a\nb\n\ndata: x", "\u2028\u2029\x85", "\x00\x7f", "𝄞 ñ", '"\\', "</script>"])
async def test_whatever_a_model_says_stays_in_one_event(here: World, text: str) -> None:
    here.says(plays("openai", answer("openai", text)))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert chunks(data)[1].choices[0].delta.content == text


async def test_half_a_surrogate_pair_from_a_model_breaks_nothing(here: World) -> None:
    broken = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"finish_reason":null}]}\n\n'
    here.says(plays("openai", [broken, ending("openai")]))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert '"content":"\ufffd"'.encode() in data
    assert data.endswith(b"data: [DONE]\n\n")
    told = await here.ask()
    assert told.status_code == 200


async def test_halves_of_a_character_in_two_pieces_are_one(here: World) -> None:
    halves = [chunk({"content": "HALF"}).replace(b"HALF", half) for half in (b"\\ud83d", b"\\ude00")]
    here.says(plays("openai", [*halves, ending("openai")]))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert "".join(each.choices[0].delta.content or "" for each in chunks(data)) == "\U0001f600"


async def test_reasoning_that_turns_out_late_is_told_at_the_end(here: World) -> None:
    here.says(plays("openai", answer("openai", "hm", "</think>", "so")))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    *words, last = chunks(data)
    assert "".join(each.choices[0].delta.content or "" for each in words) == "hmso"
    assert last.llamafarm is not None
    assert last.llamafarm.reclassified is True
    here.says(plays("openai", answer("openai", "hm", "</think>", "so")))
    whole = (await here.ask()).json()["choices"][0]["message"]
    assert (whole["content"], whole["reasoning_content"]) == ("so", "hm")


async def test_an_error_as_the_reason_of_an_end_is_no_stop(here: World) -> None:
    failing = event({"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "GPU is gone"}}]})
    here.says(plays("openai", [*answer("openai", "so")[:1], failing, event("[DONE]")]))
    _, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert b'"finish_reason":"stop"' not in data
    assert b"GPU is gone" in data
    assert b"[DONE]" not in data


async def test_an_empty_answer_is_a_whole_stream(here: World) -> None:
    here.says(plays("openai", [ending("openai")]))
    head, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    first, last = chunks(data)
    assert first.choices[0].delta.role == "assistant"
    assert last.choices[0].finish_reason == "stop"
    assert "x-llamafarm-model: default" in head


async def test_an_error_before_the_first_byte_is_an_http_error(here: World) -> None:
    here.says(refuses(429, {"error": {"message": "slow down"}}, retry_after="3"))
    head, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert head[0].startswith("HTTP/1.1 429")
    assert "retry-after: 3" in head
    assert ErrorBody.model_validate_json(data).error.code == "rate_limit_exceeded"


async def test_an_error_in_mid_stream_is_an_event_and_no_done_follows(here: World) -> None:
    here.says(plays("openai", answer("openai", "Llamas ", "eat ")[:2], then="cut"))
    head, data = await curl(f"{here.url}{CHAT}", HELLO | {"stream": True})
    assert head[0] == "HTTP/1.1 200 OK"
    *others, last = events(data)
    assert "".join(each["choices"][0]["delta"].get("content") or "" for each in others) == "Llamas eat "
    error = ErrorBody.model_validate(last)
    assert error.error.code == "upstream_interrupted"
    assert error.llamafarm is not None
    assert error.llamafarm.timings.ttft_s is not None


async def test_the_head_waits_for_the_first_word_and_no_longer(here: World) -> None:
    more, start = asyncio.Event(), asyncio.Event()
    here.says(plays("openai", [start, said("openai", "Llamas "), more, *answer("openai", "eat.")]))
    here.upstream.arrived.clear()
    async with asyncio.timeout(20):
        asking = asyncio.create_task(here.client.send(_request(here), stream=True))
        await here.upstream.arrived.wait()
        assert not asking.done()
        start.set()
        response = await asking
        pieces = response.aiter_bytes()
        assert b"Llamas" in await anext(pieces)
        more.set()
        rest = b"".join([piece async for piece in pieces])
    assert rest.endswith(b"[DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("begun", [False, True])
async def test_a_client_that_goes_away_stops_the_model(here: World, stream: bool, begun: bool) -> None:
    here.says(plays("openai", [said("openai", "Llamas ")] if begun else [], then="hang"))
    here.upstream.arrived.clear()
    async with asyncio.timeout(20):
        async with httpx.AsyncClient(base_url=here.url) as client:
            asking = asyncio.create_task(client.send(_request(here, stream=stream), stream=True))
            await here.upstream.arrived.wait()
            seen = here.last
            if stream and begun:
                response = await asking
                await anext(response.aiter_bytes())
                await response.aclose()
            else:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        await seen.gone.wait()
    assert here.services.runtime.generations.total() == 0


def _request(here: World, *, stream: bool = True) -> httpx.Request:
    return here.client.build_request("POST", CHAT, json=HELLO | {"stream": stream})


async def test_a_server_that_is_stopped_says_so_in_its_streams(tmp_path: Path) -> None:
    pieces: list[bytes] = []
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(world(tmp_path))
        here.says(plays("openai", [said("openai", "Llamas ")], then="hang"))
        async with httpx.AsyncClient(base_url=here.url) as client:
            response = await client.send(_request(here), stream=True)
            reading = response.aiter_bytes()
            pieces.append(await anext(reading))
            stopping = asyncio.create_task(stack.aclose())
            pieces += [piece async for piece in reading]
            await stopping
    *_, last = events(b"".join(pieces))
    assert last["error"]["code"] == "server_stopping"


async def test_a_server_that_is_stopped_says_so_in_its_comparisons(tmp_path: Path) -> None:
    pieces: list[bytes] = []
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(world(tmp_path))
        here.says(plays("openai", [said("openai", "Llamas ")], then="hang"))
        async with httpx.AsyncClient(base_url=here.url) as client:
            asked = client.build_request("POST", f"{PROJECT}/compare", json=HELLO | {"models": ["default"]})
            response = await client.send(asked, stream=True)
            reading = response.aiter_bytes()
            while b"Llamas" not in b"".join(pieces):
                pieces.append(await anext(reading))
            stopping = asyncio.create_task(stack.aclose())
            pieces += [piece async for piece in reading]
            await stopping
    *_, last = b"".join(pieces).strip().split(b"\n\n")
    name, data = last.split(b"\n")
    assert name == b"event: error"
    assert orjson.loads(data.removeprefix(b"data: "))["error"]["code"] == "server_stopping"
