"""Who is at fault: each refusal has its class, its advice and its tries, for every provider."""

from __future__ import annotations

from typing import Any

import pytest

from llamafarm.core.errors import (
    AuthFailed,
    ContextTooLong,
    Culprit,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    RegionRefused,
    RequestRejected,
    ServerFailed,
)
from llamafarm.core.events import Retrying, Sent, UsageReported
from tests.faultserver.server import FaultServer
from tests.faultserver.speech import answer, plays, refuses
from tests.providers.helpers import QUICK, REQUEST, ask, asking, named, text_of

PROVIDERS = ("openai", "ollama", "universal", "lemonade")
PAGE = "<html><head><title>Attention Required</title></head></html>"
ROWS: list[tuple[int, Any, type[ProviderError], Culprit, bool, str]] = [
    (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, QuotaExceeded,
     "account", False, "billing"),
    (402, {"error": {"message": "Insufficient credits"}}, QuotaExceeded, "account", False, "billing"),
    (403, {"error": {"message": "Your account is deactivated"}}, QuotaExceeded, "account", False, "billing"),
    (400, {"error": {"message": "Your credit balance is too low to access the API"}}, QuotaExceeded, "account", False,
     "billing"),
    (429, {"error": {"message": "You exceeded your current quota. Please retry in 3s."}}, RateLimited, "account", True,
     "Wait"),
    (429, {"error": {"message": "slow down"}}, RateLimited, "account", True, "Wait"),
    (429, {"error": {"message": "Request too large for m on tokens per min"}}, RateLimited, "account", False, "Shorten"),
    (403, {"error": {"code": "unsupported_country_region_territory", "message": "Country not supported"}},
     RegionRefused, "region", False, "region"),
    (400, {"error": {"message": "User location is not supported for the API use."}}, RegionRefused, "region", False,
     "region"),
    (451, "no", RegionRefused, "region", False, "region"),
    (401, {"error": "no"}, AuthFailed, "key", False, "LANE_KEY"),
    (400, {"error": {"message": "API key not valid. Please pass a valid API key."}}, AuthFailed, "key", False,
     "LANE_KEY"),
    (403, {"error": {"message": "You do not have access to the model m"}}, AuthFailed, "account", False, "access"),
    (403, PAGE, AuthFailed, "proxy", False, "firewall"),
    (407, "no", ProviderError, "proxy", False, "http_proxy"),
    (502, PAGE, ServerFailed, "proxy", True, "proxy"),
    (404, {"error": {"message": "The model `m` does not exist"}}, ModelNotFound, "model", False, ""),
    (400, {"error": {"message": "The model m has been decommissioned"}}, ModelNotFound, "model", False, ""),
    (405, "Method Not Allowed", RequestRejected, "address", False, "base_url"),
    (400, {"error": {"message": "bad value", "param": "top_p"}}, RequestRejected, "request", False, "top_p"),
    (500, {"error": 'option "temperature" must be of type float32'}, RequestRejected, "request", False, "temperature"),
    (400, {"error": {"message": "maximum context length is 8 tokens"}}, ContextTooLong, "request", False, ""),
    (529, {"error": {"message": "Overloaded"}}, ServerFailed, "server", True, "Try again"),
    (500, {"error": "model requires more system memory (5 GiB) than is available"}, ServerFailed, "server", True, "log"),
    (501, "Not Implemented", ServerFailed, "request", False, "parameters"),
]  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[2].__name__}-{row[3]}")
async def test_a_refusal(row: tuple[int, Any, type[ProviderError], Culprit, bool, str], provider: str) -> None:
    status, body, kind, culprit, again, hint = row
    async with FaultServer(refuses(status, body, "text/html" if body == PAGE else "application/json")) as server:
        _, error = await ask(named(provider, server.url), QUICK)
        assert len(server.requests) == (3 if again else 1)
    assert isinstance(error, kind)
    assert (error.culprit, error.retryable, error.status) == (culprit, again, status)
    assert hint in error.hint
    assert error.excerpt in error.message
    assert error.excerpt


async def test_an_error_in_an_answer_has_the_same_causes() -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    async with FaultServer(refuses(200, body)) as server:
        _, error = await ask(named("openai", server.url), QUICK)
        assert len(server.requests) == 1
    assert isinstance(error, QuotaExceeded)
    assert "“You exceeded your current quota”" in error.message


@pytest.mark.parametrize("provider", ["openai", "universal", "lemonade"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
        (422, {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}),
        (400, {"error": {"message": "include_usage is not supported"}}),
        (400, "unknown field 'stream_options'"),
    ],
)
async def test_what_we_add_is_left_out_where_it_is_refused(provider: str, status: int, body: Any) -> None:
    good = plays("openai", answer("openai", "so"))
    async with FaultServer(good, refuses(status, body)) as server:
        async with asking(named(provider, server.url)) as model:
            first = [event async for event in model.stream(REQUEST)]
            second = [event async for event in model.stream(REQUEST)]
        asked = ["stream_options" in request.json() for request in server.requests]
    assert asked == [True, False, False]
    assert (text_of(first), text_of(second)) == ("so", "so")
    assert [type(event) for event in first if isinstance(event, Sent | Retrying)] == [Sent, Retrying, Sent]
    assert any(isinstance(event, UsageReported) for event in second)


async def test_what_the_file_says_itself_is_not_left_out() -> None:
    refusal = refuses(400, {"error": {"message": "stream_options is not supported"}})
    async with FaultServer(refusal) as server:
        model = named("openai", server.url, extra_body={"stream_options": {"include_usage": True}})
        _, error = await ask(model)
        assert len(server.requests) == 1
    assert isinstance(error, RequestRejected)


async def test_another_refusal_is_not_asked_again() -> None:
    async with FaultServer(refuses(400, {"error": {"message": "temperature is too high"}})) as server:
        _, error = await ask(named("openai", server.url), QUICK)
        assert len(server.requests) == 1
    assert isinstance(error, RequestRejected)


async def test_what_another_playground_says_of_its_own_server_is_kept() -> None:
    body = {"error": {"message": "It refuses the key.", "code": "upstream_auth_failed", "culprit": "key"}}
    async with FaultServer(refuses(502, body, x_should_retry="false")) as server:
        _, error = await ask(named("universal", server.url), QUICK)
    assert error is not None
    assert (error.culprit, error.retryable, len(server.requests)) == ("key", False, 1)
