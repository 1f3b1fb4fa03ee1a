"""httpx over aiohttp: the names of what goes wrong, bodies as they come, and what httpx's own tools see."""

from __future__ import annotations

import asyncio
import gc
import gzip
import ssl
import weakref
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import brotli
import httpx
import pytest
import trustme

from llamafarm.core.errors import BadAnswer, ConnectFailed, ProviderError, TimedOut
from llamafarm.core.events import Event, Finished
from llamafarm.providers.check import check_models
from llamafarm.providers.http.body import response_body
from llamafarm.providers.http.client import Client, open_client
from llamafarm.providers.http.exchange import Exchange as Request
from llamafarm.providers.ollama import Ollama
from llamafarm.providers.openai import OpenAICompatible
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import TYPES, Protocol, answer, plays
from tests.providers.helpers import KEY, REQUEST, ask, named, text_of
from tests.providers.test_connection import free_port

SO = answer("openai", "so")
ADAPTERS: dict[Protocol, Callable[..., OpenAICompatible | Ollama]] = {"openai": OpenAICompatible, "ollama": Ollama}


async def sent(client: Client, url: str, **headers: str) -> bytes:
    async with aclosing(await client.send("POST", url, headers=headers, content=b"?", connect_s=5)) as response:
        return await response.aread()


async def talks_otherwise(exchange: Exchange) -> None:
    await exchange.send(b"220 mail.example ESMTP\r\n\r\n")


async def cuts(exchange: Exchange) -> None:
    await exchange.cut()


async def cuts_half_way(exchange: Exchange) -> None:
    await exchange.head(content_type=TYPES["openai"])
    await exchange.send(SO[0])
    await exchange.cut()


@pytest.mark.parametrize(
    ("plot", "kind"),
    [(talks_otherwise, httpx.RemoteProtocolError), (cuts, httpx.ReadError), (cuts_half_way, httpx.ReadError)],
)
async def test_what_a_server_does_has_its_name(
    plot: Callable[[Exchange], Awaitable[None]], kind: type[httpx.RequestError]
) -> None:
    async with FaultServer(plot) as server, open_client() as client:
        with pytest.raises(kind) as told:
            await sent(client, server.url)
        assert type(told.value) is kind


@pytest.mark.parametrize(
    ("url", "headers", "kind"),
    [
        ("http://127.0.0.1:{port}", {}, httpx.ConnectError),
        ("http://no-such-host.invalid", {}, httpx.ConnectError),
        ("ftp://127.0.0.1:{port}", {}, httpx.UnsupportedProtocol),
        ("127.0.0.1/v1", {}, httpx.UnsupportedProtocol),
    ],
)
async def test_what_cannot_be_sent_has_its_name(
    url: str, headers: dict[str, str], kind: type[httpx.RequestError]
) -> None:
    async with open_client() as client:
        with pytest.raises(kind) as told:
            await sent(client, url.format(port=free_port()), **headers)
        assert type(told.value) is kind
        assert told.value.request.method == "POST"


async def test_a_header_that_http_cannot_carry_has_its_name() -> None:
    async with FaultServer(plays("openai", SO)) as server, open_client() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await sent(client, server.url, **{"X-Key": "a\nb"})
        assert not server.requests


async def test_tls_that_is_not_trusted_says_why() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with FaultServer(plays("openai", SO), tls=context) as server, open_client() as client:
        with pytest.raises(httpx.ConnectError) as told:
            await sent(client, server.url)
    cause: BaseException | None = told.value
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__
    assert cause is not None


@pytest.mark.parametrize("answers", [True, False])
async def test_a_proxy_that_refuses_is_told_as_the_proxy(monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> None:
    async def refuses(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")

    async with FaultServer(refuses) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url if answers else f"http://127.0.0.1:{free_port()}")
        _, error = await ask(named("openai", "https://models.invalid/v1"))
    assert isinstance(error, ConnectFailed)
    assert "The proxy gives no way to models.invalid" in error.message
    assert "https_proxy" in error.hint


def _deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def _raw_deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packs"),
    [("gzip", gzip.compress), ("deflate", _deflated), ("deflate", _raw_deflated), ("br", brotli.compress)],
)
async def test_answers_are_decompressed(encoding: str, packs: Callable[[bytes], bytes]) -> None:
    async def packed(exchange: Exchange) -> None:
        await exchange.head(content_type=TYPES["openai"], content_encoding=encoding)
        await exchange.send(packs(b"".join(SO)))
        await exchange.end()

    async with FaultServer(packed) as server:
        events, error = await ask(named("openai", server.url))
        assert encoding in server.requests[0].headers["accept-encoding"]
    assert (text_of(events), error) == ("so", None)


async def test_a_piece_that_swells_is_handed_on_bit_by_bit() -> None:
    swollen = 64 * 1024 * 1024

    async def bomb(exchange: Exchange) -> None:
        await exchange.head(content_type=TYPES["openai"], content_encoding="gzip")
        await exchange.send(gzip.compress(bytes(swollen)))
        await exchange.end()

    async with (
        FaultServer(bomb) as server,
        open_client() as client,
        aclosing(await client.send("GET", server.url, headers={})) as response,
    ):
        assert "content-encoding" not in response.headers
        assert 0 < len(await response_body(response).read()) < swollen // 16


@pytest.mark.parametrize("location", ["http://elsewhere.example/v1", "http://[bad", "x://", "\xff"])
async def test_a_redirect_is_told_wherever_it_leads(location: str) -> None:
    async def leads(exchange: Exchange) -> None:
        head = f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        await exchange.send(head.encode("latin-1"))

    async with FaultServer(leads) as server:
        _, error = await ask(named("openai", server.url))
        assert len(server.requests) == 1
    assert isinstance(error, BadAnswer)
    assert f"redirects to {location} (HTTP 302)" in error.message


# --- httpx's own tools -------------------------------------------------------------------------------


async def heard(provider: OpenAICompatible | Ollama) -> tuple[list[Event], ProviderError | None]:
    events: list[Event] = []
    try:
        async with aclosing(provider.stream(REQUEST)) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - what came before an error must be kept
    except ProviderError as error:
        return events, error
    return events, None


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
async def test_a_mock_transport_can_stand_in_for_a_server(protocol: Protocol) -> None:
    seen: list[httpx.Request] = []

    def plays_server(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        packed = gzip.compress(b"".join(answer(protocol, "so")))
        headers = {"content-type": TYPES[protocol], "content-encoding": "gzip"}
        return httpx.Response(200, headers=headers, content=packed)

    async with open_client(httpx.MockTransport(plays_server)) as client:
        events, error = await heard(ADAPTERS[protocol](named(protocol, "http://models.example/v1"), client))
    assert (text_of(events), error) == ("so", None)
    assert isinstance(events[-1], Finished)
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["host"] == "models.example"
    assert b"llama3.1:8b" in seen[0].content
    assert int(seen[0].headers["content-length"]) == len(seen[0].content)


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (httpx.ConnectTimeout("too late"), "No connection within"),
        (httpx.RemoteProtocolError("odd"), "not HTTP"),
        (httpx.ReadError("gone"), "closed the connection before it answered"),
        (httpx.UnsupportedProtocol("odd"), "can't be called"),
        (httpx.ProxyError("shut"), "proxy"),
    ],
)
async def test_exceptions_of_any_transport_are_told(protocol: Protocol, raised: Exception, message: str) -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise raised

    async with open_client(httpx.MockTransport(fails)) as client:
        _, error = await heard(ADAPTERS[protocol](named(protocol, "http://models.example/v1"), client))
    assert error is not None
    assert message in error.message


async def test_a_mock_transport_that_says_nothing_more_is_given_up() -> None:
    closed = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        try:
            yield SO[0]
            await asyncio.Event().wait()
        finally:
            closed.set()

    def begins(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": TYPES["openai"]}, content=hangs())

    async with open_client(httpx.MockTransport(begins)) as client:
        model = named("openai", "http://models.example/v1", timeout={"first_token": 0.1, "between_tokens": 0.1})
        _, error = await heard(OpenAICompatible(model, client))
    assert isinstance(error, TimedOut)
    assert closed.is_set()


async def test_hooks_of_the_client_see_what_is_asked() -> None:
    seen: list[str] = []

    async def asked(request: httpx.Request) -> None:
        seen.append(f"{request.method} {request.url.path}")

    async def answered(response: httpx.Response) -> None:
        seen.append(f"{response.status_code} {response.reason_phrase}")

    async with FaultServer(plays("openai", SO)) as server, open_client() as client:
        client.http.event_hooks = {"request": [asked], "response": [answered]}
        model = named("openai", f"{server.url}/v1")
        await heard(OpenAICompatible(model, client))
        await check_models([model], client)
    assert seen[:2] == ["POST /v1/chat/completions", "200 Status"]
    assert seen[2] == "GET /v1/models"


async def test_each_header_is_sent_once_and_the_callers_wins() -> None:
    seen: list[httpx.Request] = []

    def notes(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async with open_client(httpx.MockTransport(notes)) as client:
        for _ in range(2):
            await sent(client, "http://models.example/v1", Accept="text/event-stream", Connection="close")
    for request in seen:
        names = [name.lower() for name, _ in request.headers.raw]
        assert len(names) == len(set(names))
        assert request.headers["accept"] == "text/event-stream"
        assert request.headers["connection"] == "close"
        assert request.headers["content-length"] == "1"


async def test_a_response_waits_for_no_garbage_collection() -> None:
    async with FaultServer(plays("openai", SO)) as server, open_client() as client:
        response = await client.send("POST", server.url, headers={}, content=b"?")
        async with client.endings.reading(response) as body:
            while await body.read():
                pass
        left = weakref.ref(response)
        gc.disable()
        try:
            del response, body
            assert left() is None
        finally:
            gc.enable()


async def test_the_bounds_of_an_exchange_are_httpx_time_outs() -> None:
    seen: list[httpx.Request] = []

    def notes(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async with open_client(httpx.MockTransport(notes)) as client:
        model = named("openai", "http://user:pass@models.example/v1", timeout={"connect": 7}, api_key=None)
        exchange: Request = OpenAICompatible(model, client).exchange(REQUEST)
        await sent(client, exchange.url, **exchange.headers)
        await heard(OpenAICompatible(model, client))
    assert seen[1].extensions["timeout"]["connect"] == 7
    assert "pass" not in str(seen[1].url)
    assert seen[1].headers["authorization"] == "Basic dXNlcjpwYXNz"
