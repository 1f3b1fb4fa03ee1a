"""Each class of error has a meaning by its place in the tree, and clients are told whether to ask again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import openai
import pytest

from llamafarm.core.display import CULPRITS
from llamafarm.core.errors import (
    ConnectFailed,
    Interrupted,
    LlamaFarmError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RequestError,
    ServerFailed,
    StoreError,
    TimedOut,
)
from llamafarm.core.events import Failed
from llamafarm.engine.lane import failure
from llamafarm.providers.policies.retry import Pauses
from llamafarm.server.api.errors import error_of, failed
from llamafarm.server.api.meanings import DEFECT, MEANINGS, meaning_of
from tests.faultserver.speech import answer, event, plays, refuses, said
from tests.server.api.world import CHAT, HELLO, PROJECT, World

pytestmark = pytest.mark.asyncio(loop_scope="package")

TOOL: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
NO_TOOLS = {"error": {"message": "registry.ollama.ai/library/x does not support tools"}}


def tree(parent: type[LlamaFarmError] = LlamaFarmError) -> Iterator[type[LlamaFarmError]]:
    for each in parent.__subclasses__():
        yield each
        yield from tree(each)


@pytest.mark.parametrize("kind", [each for each in tree() if each.__module__ == "llamafarm.core.errors"])
async def test_no_class_of_error_is_a_defect(kind: type[LlamaFarmError]) -> None:
    meaning = meaning_of(kind.__name__)
    assert meaning != DEFECT
    assert (meaning.status < 500) is (meaning.type != "server_error")
    assert kind.culprit in CULPRITS
    told = failed(Failed(at=0.0, kind=kind.__name__, message="No.", hint="Do this."))
    assert (told.status, told.code, told.message) == (meaning.status, meaning.code, "No. Do this.")
    if meaning.status >= 500:
        assert (told.headers.get("x-should-retry") == "false") is not meaning.retry


async def test_a_class_without_a_meaning_has_its_parents() -> None:
    class Throttled(RateLimited):
        """Nobody gave it one."""

    class Odd(ProviderError):
        """Nor this."""

    assert meaning_of(Throttled.__name__) == MEANINGS[RateLimited]
    assert meaning_of(Odd.__name__).status == 502
    assert meaning_of("ZeroDivisionError") == DEFECT


@pytest.mark.parametrize(
    ("error", "status"),
    [(RequestError("No."), 400), (StoreError("No."), 503), (RateLimited("No.", retry_after=0.2), 429)],
)
@pytest.mark.parametrize("path", [CHAT, f"{PROJECT}/compare", f"{PROJECT}/route"])
async def test_an_error_that_no_lane_told_keeps_its_meaning(
    here: World, monkeypatch: pytest.MonkeyPatch, error: LlamaFarmError, status: int, path: str
) -> None:
    async def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(here.services), "project", failing)
    told = await here.client.post(path, json=HELLO if "route" not in path else {"prompt": "Hi"})
    assert (told.status_code, told.json()["error"]["message"]) == (status, "No.")
    assert error_of(error).status == status
    if isinstance(error, RateLimited):
        assert told.headers["retry-after"] == "1"


# --- who asks again


@pytest.fixture
def patient(here: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A playground that asks three times by itself, without waiting."""
    providers = replace(here.services.runtime.providers, pauses=Pauses(3, first_s=0.001))
    monkeypatch.setattr(here.services, "runtime", replace(here.services.runtime, providers=providers))
    return here


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (refuses(429, {"error": {"message": "slow down"}}), openai.RateLimitError),
        (refuses(500, {"error": {"message": "broken"}}), openai.InternalServerError),
        (refuses(503, {"error": {"message": "overloaded"}}), openai.InternalServerError),
    ],
)
async def test_one_failure_of_a_server_is_three_requests_and_not_nine(
    patient: World, refusal: Any, error: type[openai.APIStatusError], stream: bool
) -> None:
    patient.says(refusal)
    async with openai.AsyncOpenAI(base_url=f"{patient.url}{PROJECT}", api_key="none", max_retries=2) as client:
        with pytest.raises(error, match="It was asked 3 times") as caught:
            await client.chat.completions.create(model="default", messages=HELLO["messages"], stream=stream)
    assert len(patient.upstream.requests) == 3
    assert caught.value.response.headers["x-should-retry"] == "false"


async def test_an_answer_that_broke_off_is_asked_for_again_by_the_client_alone(patient: World) -> None:
    patient.says(plays("openai", [], then="cut"))
    async with openai.AsyncOpenAI(base_url=f"{patient.url}/v1", api_key="none", max_retries=1) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="default", messages=HELLO["messages"])
    assert len(patient.upstream.requests) == 2


async def test_what_was_asked_once_may_be_asked_again_by_the_client(patient: World) -> None:
    patient.says(refuses(429, {"error": {"message": "slow down"}}, retry_after="50"))
    told = await patient.ask()
    assert len(patient.upstream.requests) == 1  # fifty seconds are too long for the playground to wait
    assert (told.status_code, told.headers["retry-after"]) == (429, "50")
    assert "x-should-retry" not in told.headers


async def test_the_wait_that_was_asked_for_is_told_beside(patient: World) -> None:
    patient.says(refuses(429, {"error": {"message": "slow down"}}, retry_after="0"))
    told = await patient.ask()
    assert (told.headers["retry-after"], told.headers["x-should-retry"]) == ("0", "false")
    assert len(told.json()["llamafarm"]["retries"]) == 2


async def test_a_server_that_is_not_there_is_asked_by_one_side_alone(patient: World) -> None:
    told = await patient.ask(model="gone")
    assert (told.status_code, told.headers["x-should-retry"]) == (502, "false")
    assert meaning_of(ConnectFailed.__name__).retry


# --- tools that a model can't use


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 500])
async def test_a_model_that_cant_use_tools_is_400_with_what_to_do(here: World, stream: bool, status: int) -> None:
    here.says(refuses(status, NO_TOOLS))
    told = await here.ask(tools=[TOOL], stream=stream)
    error = told.json()["error"]
    assert (told.status_code, error["type"], error["code"]) == (400, "invalid_request_error", "tools_unsupported")
    assert "tool_call_strategy: prompt_based" in error["message"]
    assert len(here.upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_tools_that_are_not_to_be_called_stop_no_answer(here: World, stream: bool) -> None:
    here.says(plays("openai", answer("openai", "Hay.")))
    here.upstream.play(refuses(400, NO_TOOLS))
    told = await here.ask(tools=[TOOL], tool_choice="none", parallel_tool_calls=False, stream=stream)
    assert (told.status_code, "Hay." in told.text) == (200, True)
    first, second = (seen.json() for seen in here.upstream.requests)
    assert first["tool_choice"] == "none"
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(second)


async def test_without_tools_nothing_says_how_to_call_them(here: World) -> None:
    assert (await here.ask(tool_choice="auto", parallel_tool_calls=True)).status_code == 200
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(here.last.json())


# --- who is at fault, and whether to ask again, of this very error


async def test_who_is_at_fault_is_told_whole_and_in_mid_answer(here: World) -> None:
    here.says(refuses(401, {"error": {"message": "Incorrect API key provided"}}))
    assert (await here.ask()).json()["error"]["culprit"] == "key"
    gone = event({"error": {"message": "insufficient_quota", "code": 402}})
    here.says(plays("openai", [said("openai", "half"), gone]))
    assert '"culprit":"account"' in (await here.ask(stream=True)).text.replace(": ", ":")


async def test_a_rate_that_never_passes_is_no_reason_to_ask_again(patient: World) -> None:
    patient.says(refuses(429, {"error": {"message": "Request too large for gpt-4o: limit 30000, requested 90000"}}))
    told = await patient.ask()
    assert (told.status_code, told.headers["x-should-retry"]) == (429, "false")
    assert len(patient.upstream.requests) == 1


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ConnectFailed("No such name.", retryable=False), False),
        (ConnectFailed("Refused."), True),
        (TimedOut("Slow.", phase="first_token", seconds=300), True),
        (Interrupted("It broke."), True),
        (ServerFailed("It failed."), True),
        (RateLimited("Later."), True),
        (QuotaExceeded("Nothing left."), False),
    ],
)
async def test_each_error_says_for_itself_whether_asking_again_may_help(error: ProviderError, again: bool) -> None:
    told = failed(failure(error))
    assert (told.headers.get("x-should-retry") != "false") is again
    assert told.body()["error"]["culprit"] == error.culprit
