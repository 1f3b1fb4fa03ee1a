"""What comes before a request is known is bounded in bytes and in time, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from llamafarm.access.asgi import Receive, Scope, Send
from llamafarm.server.http.protocol import MAX_HEAD, bounded
from tests.serving import Announcing, listening_socket

SOON_S = 0.3
PATIENCE_S = 20.0


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * SOON_S)
    told = b"%d bytes, %d headers" % (size, len(scope["headers"]))
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(told)).encode())]}
    )
    await send({"type": "http.response.body", "body": told})


@asynccontextmanager
async def served(head_s: float = PATIENCE_S, body_s: float = PATIENCE_S, most: int = 256) -> AsyncIterator[int]:
    with listening_socket() as sock:
        http = bounded(head_s=head_s, body_s=body_s, most=most)
        config = uvicorn.Config(_app, http=http, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
        ready = asyncio.Event()
        server = Announcing(config, ready)
        task = asyncio.create_task(server.serve(sockets=[sock]))
        await ready.wait()
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def told(port: int, *pieces: bytes) -> bytes:
    """All that the server answers to these pieces until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionError:  # it has closed with our bytes unread; the answer was read by nobody
        return b"closed"
    finally:
        writer.close()


def request(size: int, *, ends: bytes = b"connection: close\r\n\r\n") -> bytes:
    """A request whose head has `size` bytes."""
    begin = b"GET / HTTP/1.1\r\nhost: x\r\nx: "
    return begin + b"a" * (size - len(begin) - len(ends) - 2) + b"\r\n" + ends


async def test_a_head_may_have_64_kib_and_no_more() -> None:
    async with served() as port:
        assert (await told(port, request(MAX_HEAD - 1))).startswith(b"HTTP/1.1 200")
        assert (await told(port, request(MAX_HEAD + 1))).startswith(b"HTTP/1.1 431")


ENDLESS = 200 * b"x" * 1024
LARGE = {
    "one header": [b"GET / HTTP/1.1\r\nhost: x\r\nx: ", ENDLESS],
    "many headers": [b"GET / HTTP/1.1\r\nhost: x\r\n", b"a: b\r\n" * 30_000],
    "a name": [b"GET / HTTP/1.1\r\n", ENDLESS],
    "the request line": [b"GET /", ENDLESS],
    "the query": [b"GET /?a=", ENDLESS, b" HTTP/1.1\r\nhost: x\r\n\r\n"],
    "empty lines": [b"\r\n" * 100_000],
    "spaces before a value": [b"GET / HTTP/1.1\r\nhost:", b" " * 200_000],
}


@pytest.mark.parametrize("pieces", LARGE.values(), ids=LARGE)
async def test_whatever_makes_a_head_large_it_is_refused(pieces: list[bytes]) -> None:
    async with served() as port:
        answer = await told(port, *pieces)
        assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")) or answer in (b"closed", b"")
        assert b"200 OK" not in answer


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
BEHIND = {
    "a trailer": [CHUNKED, b"1\r\na\r\n0\r\nx: ", ENDLESS],
    "many trailers": [CHUNKED, b"0\r\n", b"a: b\r\n" * 30_000],
    "an extension": [CHUNKED, b"1;", ENDLESS],
    "a length": [CHUNKED, b"0" * 200_000],
}


@pytest.mark.parametrize("pieces", BEHIND.values(), ids=BEHIND)
async def test_what_nobody_reads_of_a_body_is_bounded_too(pieces: list[bytes]) -> None:
    async with served() as port:
        assert b"200 OK" not in await told(port, *pieces)


async def test_trailers_are_no_headers() -> None:
    async with served() as port:
        close = CHUNKED.replace(b"host: x\r\n", b"host: x\r\nconnection: close\r\n")
        answer = await told(port, close, b"3\r\nabc\r\n0\r\nhost: evil\r\ncookie: c\r\n\r\n")
        assert answer.endswith(b"3 bytes, 3 headers")


async def test_several_requests_on_one_connection_are_each_counted_anew() -> None:
    async with served() as port:
        one = request(40_000, ends=b"\r\n")
        answer = await told(port, one, one, one, request(40_000))
        assert answer.count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize("begin", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: x\r\nx: y"])
async def test_a_head_that_does_not_end_is_given_up(begin: bytes) -> None:
    async with served(head_s=SOON_S) as port:
        answer = await told(port, begin)
        assert answer.startswith(b"HTTP/1.1 408")


async def test_dripping_does_not_help() -> None:
    async with served(head_s=SOON_S) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx: ")
            while True:
                writer.write(b"a")
                await asyncio.sleep(SOON_S / 10)

        dripping = asyncio.create_task(drip())
        assert (await asyncio.wait_for(reader.read(), PATIENCE_S)).startswith(b"HTTP/1.1 408")
        dripping.cancel()
        writer.close()


async def test_a_body_that_does_not_end_is_given_up() -> None:
    async with served(body_s=SOON_S) as port:
        answer = await told(port, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
        assert answer.startswith(b"HTTP/1.1 408")


async def test_an_answer_may_take_longer_than_a_head() -> None:
    async with served(head_s=SOON_S, body_s=SOON_S) as port:
        get = b"GET /slow HTTP/1.1\r\nhost: x\r\n"
        answer = await told(port, get + b"\r\n", get + b"connection: close\r\n\r\n")
        assert answer.count(b"HTTP/1.1 200") == 2
        half = await told(port, get + b"\r\nGET / HT")  # what follows may wait as long as the answer takes
        assert half.startswith(b"HTTP/1.1 200")


async def test_half_open_connections_lock_nobody_out() -> None:
    async with served(most=20) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        await asyncio.sleep(1.1)  # older than a head that is on its way
        more = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        assert (await told(port, request(100))).startswith(b"HTTP/1.1 200")
        first = await asyncio.wait_for(held[0][0].read(), PATIENCE_S)
        assert first.startswith(b"HTTP/1.1 503")
        for _, writer in (*held, *more):
            writer.close()


async def test_many_that_come_at_once_are_all_answered() -> None:
    async with served(most=20) as port:
        answers = await asyncio.gather(*(told(port, request(100)) for _ in range(100)))
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
