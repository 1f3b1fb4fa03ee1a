"""After the last word of an answer: the connection is kept where its body ends soon, and closed where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llamafarm.providers.http.client import Client, open_client
from llamafarm.providers.http.endings import Endings
from llamafarm.providers.openai import OpenAICompatible
from tests.faultserver.speech import answer
from tests.providers.helpers import REQUEST, named, text_of
from tests.providers.http.keeping import END, STREAM, Keeping, Says, chunk, keeping

SO = STREAM + b"".join(map(chunk, answer("openai", "so")))


@asynccontextmanager
async def asking(says: Says) -> AsyncIterator[tuple[Keeping, Client, OpenAICompatible]]:
    async with keeping(says) as server, open_client() as client:
        yield server, client, OpenAICompatible(named("openai", server.url), client)


async def said(provider: OpenAICompatible) -> str:
    return text_of([event async for event in provider.stream(REQUEST)])


def ends() -> list[asyncio.Task[None]]:
    """What the client does after its answers."""
    return [task for task in asyncio.all_tasks() if "Endings" in str(task.get_coro())]


async def test_the_end_of_the_body_comes_after_the_last_word() -> None:
    heard = asyncio.Event()

    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(SO)
        await heard.wait()
        writer.write(END)

    async with asking(says) as (server, _, provider):
        for _ in range(3):
            assert await said(provider) == "so"
            heard.set()
            await asyncio.wait(ends())
            heard.clear()
        assert (len(server.bodies), len(server.connections)) == (3, 1)


async def test_an_end_that_comes_with_the_last_word_needs_nobody() -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(SO + END)

    async with asking(says) as (server, _, provider):
        for _ in range(3):
            assert await said(provider) == "so"
            assert not ends()
        assert len(server.connections) == 1


async def endless(writer: asyncio.StreamWriter) -> None:
    """Says the answer, and much that means nothing after it."""
    writer.write(SO)
    while not writer.is_closing():
        writer.write(chunk(b": nothing\n" * 1000))
        await writer.drain()


async def never_ending(writer: asyncio.StreamWriter) -> None:
    """Says the answer, and never ends the body."""
    writer.write(SO)


@pytest.mark.parametrize(("says", "linger_s"), [(endless, 1000.0), (never_ending, 0.01)])
async def test_an_end_that_does_not_come_closes_the_connection(says: Says, linger_s: float) -> None:
    async with asking(says) as (server, client, _), Endings(linger_s) as endings:
        async with endings.reading(await client.send("POST", server.url, headers={}, content=b"?")) as body:
            await body.read()
        await asyncio.wait_for(server.ended.wait(), 30)


async def test_closing_the_client_waits_for_no_end() -> None:
    async with keeping(never_ending) as server:
        async with open_client() as client:
            assert await said(OpenAICompatible(named("openai", server.url), client)) == "so"
        await asyncio.wait_for(server.ended.wait(), 30)
        assert not ends()


async def test_an_answer_that_is_stopped_closes_its_connection_at_once() -> None:
    async with asking(never_ending) as (server, client, _):
        response = await client.send("POST", server.url, headers={}, content=b"?")
        with pytest.raises(ZeroDivisionError):
            async with client.endings.reading(response):
                raise ZeroDivisionError
        assert response.is_closed
        await asyncio.wait_for(server.ended.wait(), 30)
