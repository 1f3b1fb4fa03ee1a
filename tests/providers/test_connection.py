"""Getting through to a server, and letting go of it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from contextlib import aclosing

import pytest
import trustme

from llamafarm.core.errors import ConnectFailed, TimedOut
from llamafarm.core.events import Retrying, TextDelta
from llamafarm.engine.comparison import Comparison
from llamafarm.engine.cooldown import Cooldowns
from llamafarm.engine.lane import Lane, Question, chat
from llamafarm.engine.replies import Replies
from llamafarm.pricing import PriceBook
from tests.engine.fakes import Registry, project
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import TYPES, Protocol, answer, ending, plays, said
from tests.providers.helpers import QUICK, REQUEST, ask, asking, named, text_of

TINY: dict[Protocol, bytes] = {
    "openai": b'data: {"choices":[{"delta":{"content":"ab"}}]}\n\n',
    "ollama": b'{"message":{"content":"ab"}}\n',
}
PROTOCOLS: tuple[Protocol, ...] = ("openai", "ollama")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_refused(protocol: Protocol) -> None:
    port = free_port()
    events, error = await ask(named(protocol, f"http://127.0.0.1:{port}"), QUICK)
    assert isinstance(error, ConnectFailed)
    assert error.message == f"Nothing listens at 127.0.0.1:{port}."
    assert ("ollama serve" in error.hint) is (protocol == "ollama")
    assert len([event for event in events if isinstance(event, Retrying)]) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_name_not_found(protocol: Protocol) -> None:
    events, error = await ask(named(protocol, "http://no-such-host.invalid:1234"), QUICK)
    assert isinstance(error, ConnectFailed)
    assert error.message == "The name no-such-host.invalid is not known."
    assert not [event for event in events if isinstance(event, Retrying)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_certificate_that_nobody_vouches_for(protocol: Protocol) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with FaultServer(plays(protocol, answer(protocol, "so")), tls=context) as server:
        _, error = await ask(named(protocol, server.url), QUICK)
        assert not server.requests
    assert isinstance(error, ConnectFailed)
    assert "certificate" in error.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tls_where_the_server_has_none(protocol: Protocol) -> None:
    async with FaultServer(plays(protocol, answer(protocol, "so"))) as server:
        _, error = await ask(named(protocol, server.url.replace("http", "https")), QUICK)
    assert isinstance(error, ConnectFailed)
    assert "TLS" in error.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_connect_time_out(protocol: Protocol) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]  # the kernel drops what its queue can't hold
        try:
            for each in waiting:
                each.settimeout(0)
                each.connect_ex(address)
            model = named(protocol, f"http://127.0.0.1:{address[1]}", timeout={"connect": 0.2})
            _, error = await ask(model)
        finally:
            for each in waiting:
                each.close()
    assert isinstance(error, TimedOut)
    assert (error.phase, error.seconds) == ("connect", 0.2)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_total_time_out_ends_an_answer_that_never_ends(protocol: Protocol) -> None:
    drip = plays(protocol, [part for _ in range(500) for part in (said(protocol, "x"), 0.01)])
    async with FaultServer(drip) as server:
        events, error = await ask(named(protocol, server.url, timeout={"total": 0.3, "between_tokens": 5}))
        await asyncio.wait_for(server.requests[0].gone.wait(), 1)
    assert isinstance(error, TimedOut)
    assert error.phase == "total"
    assert text_of(events).startswith("xxx")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_may_take_longer_than_each_of_its_pieces(protocol: Protocol) -> None:
    drip = plays(protocol, [*(part for _ in range(12) for part in (said(protocol, "x"), 0.05)), ending(protocol)])
    async with FaultServer(drip) as server:
        events, error = await ask(named(protocol, server.url, timeout={"first_token": 0.4, "between_tokens": 0.4}))
    assert error is None
    assert text_of(events) == "x" * 12


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_server_that_closes_before_it_answers(protocol: Protocol) -> None:
    async with FaultServer(lambda exchange: exchange.cut()) as server:
        _, error = await ask(named(protocol, server.url), QUICK)
        assert len(server.requests) == 3
    assert isinstance(error, ConnectFailed)
    assert "closed the connection before it answered" in error.message


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_closing_a_stream_closes_the_connection_at_once(protocol: Protocol) -> None:
    async with FaultServer(plays(protocol, [said(protocol, "half")], then="hang")) as server:
        async with asking(named(protocol, server.url)) as provider:
            async with aclosing(provider.stream(REQUEST)) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta):
                        break
            closed = time.perf_counter()
            await asyncio.wait_for(server.requests[0].gone.wait(), 1)
        assert server.requests[0].gone_at is not None
        assert server.requests[0].gone_at - closed < 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_stop_works_while_nothing_comes(protocol: Protocol) -> None:
    async with FaultServer(lambda exchange: exchange.hang()) as server:
        model = named(protocol, server.url)
        async with asking(model) as provider:
            async with aclosing(provider.stream(REQUEST)) as stream:
                await anext(stream)
                waiting = asyncio.create_task(anext(stream))
                await asyncio.wait_for(server.arrived.wait(), 1)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await asyncio.wait_for(server.requests[0].gone.wait(), 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_timings_are_those_of_the_server(protocol: Protocol) -> None:
    pauses = (0.12, 0.03, 0.03, 0.03)
    pieces = [part for pause in pauses for part in (pause, said(protocol, "word "))]
    async with FaultServer(plays(protocol, [*pieces, ending(protocol)])) as server:
        model = named(protocol, server.url)
        whole = project([model])
        async with asking(model) as provider:
            lanes = (Lane("lane", model),)
            registry = Registry({"lane": provider})
            folded = Replies(whole, lanes, PriceBook())
            async with Comparison(
                lanes, lambda lane: chat(whole, lane, Question.of("Hi"), registry, Cooldowns()), folded
            ) as run:
                started = time.perf_counter()
                await run.ended()
        sent = server.requests[0].sent
    spans = folded.reply("lane").timings
    assert spans.ttft_s == pytest.approx(sent[0][0] - started, abs=0.015)
    assert spans.total_s == pytest.approx(sent[-1][0] - started, abs=0.015)


@pytest.mark.parametrize(("protocol", "deltas"), [("openai", 1_000_000), ("ollama", 100_000)])
async def test_a_million_deltas_leave_only_their_text(protocol: Protocol, deltas: int) -> None:
    block = b"".join([TINY[protocol]] * 1000)
    async with FaultServer(plays(protocol, [*([block] * (deltas // 1000)), ending(protocol)])) as server:
        model = named(protocol, server.url)
        whole = project([model])
        lanes = (Lane("lane", model),)
        folded = Replies(whole, lanes, PriceBook())
        async with asking(model) as provider:
            before = most = sys.getallocatedblocks()
            async with Comparison(
                lanes,
                lambda lane: chat(whole, lane, Question.of("Hi"), Registry({"lane": provider}), Cooldowns()),
                folded,
            ) as run:
                async for _ in run.batches(heartbeat_s=None):
                    most = max(most, sys.getallocatedblocks())
    reply = folded.reply("lane")
    assert len(reply.text) == 2 * deltas
    assert most - before < deltas // 10  # an object kept for each delta would be ten times as many


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_stop_ends_a_flood_that_nobody_reads(protocol: Protocol) -> None:
    async def floods(exchange: Exchange) -> None:
        await exchange.head(content_type=TYPES[protocol])
        while not exchange.seen.gone.is_set():
            await exchange.send(TINY[protocol] * 1000)

    async with FaultServer(floods) as server, asking(model := named(protocol, server.url)) as provider:
        whole, lanes = project([model]), (Lane("lane", model),)
        folded = Replies(whole, lanes, PriceBook())
        registry = Registry({"lane": provider})
        async with (
            Comparison(lanes, lambda lane: chat(whole, lane, Question.of("Hi"), registry, Cooldowns()), folded) as run,
            aclosing(run.batches(heartbeat_s=None)) as batches,
        ):
            while not folded.reply("lane").text:
                await anext(batches)
            run.stop()
            await asyncio.wait_for(server.requests[0].gone.wait(), 1)
            async for _ in batches:
                pass
    reply = folded.reply("lane")
    assert reply.status == "stopped"
    assert reply.text == "ab" * (len(reply.text) // 2)
