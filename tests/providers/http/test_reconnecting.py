"""A kept connection that turns out to be closed: the request is sent again on a new one, at once, and once."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

import pytest
import trustme

from llamafarm.core.errors import BadAnswer, ConnectFailed, Interrupted, ProviderError
from llamafarm.core.events import Event, Finished, Reconnected, Retrying
from llamafarm.core.types import ChatRequest, Message
from llamafarm.providers.base import Remote
from llamafarm.providers.check import check_models
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.body import RECONNECTED
from llamafarm.providers.http.client import Client, open_client
from llamafarm.providers.registry import REMOTE, Providers
from tests.faultserver.speech import TYPES, Protocol, answer
from tests.providers.helpers import REQUEST, named, text_of
from tests.providers.http.keeping import chunk

SPEAKS: dict[str, Protocol] = {"openai": "openai", "ollama": "ollama", "universal": "openai", "lemonade": "openai"}
LISTS: dict[Protocol, bytes] = {
    "openai": b'{"data":[{"id":"llama3.1:8b"}]}',
    "ollama": b'{"models":[{"name":"llama3.1:8b"}]}',
}
LARGE = ChatRequest((Message("user", "long " * 2_000_000),))
large = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")


@dataclass(frozen=True, slots=True)
class Act:
    """What the server does with a request: reads its body or not, says `says` (None: the answer), and lets go or not."""

    says: bytes | None = None
    ends: str = ""
    reads: bool = True


ANSWERS = Act()
EOF = Act(b"", "eof")
RST = Act(b"", "rst")
EOF_AT_THE_HEAD = Act(b"", "eof", reads=False)
RST_AT_THE_HEAD = Act(b"", "rst", reads=False)
ANSWERS_AND_CLOSES = Act(None, "eof")
HALF_A_HEAD = Act(b"HTTP/1.1 20", "eof")
HALF_A_HEAD_RST = Act(b"HTTP/1.1 200 OK\r\ncontent-", "rst")
HINTS = Act(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", "eof")


@dataclass(slots=True)
class Server:
    """Acts by `plan`, whose keys are numbers of a connection and of a request on it (from 1); else it answers.

    `heads` are what it was asked, in order, each with the number of its connection.
    """

    protocol: Protocol
    plan: Mapping[tuple[int, int], Act]
    url: str = ""
    connections: int = 0
    heads: list[tuple[int, str]] = field(default_factory=list)
    together: asyncio.Barrier | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection, number = self.connections, 0
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                number += 1
                act = self.plan.get((connection, number), ANSWERS)
                self.heads.append((connection, head.partition("\r\n")[0]))
                if act.reads:
                    length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
                    await reader.readexactly(length)
                if self.together and number == 1:
                    await self.together.wait()
                writer.write(self._answer(head) if act.says is None else act.says)
                await writer.drain()
                if act.ends == "rst":
                    if (sock := writer.get_extra_info("socket")) is not None:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                if act.ends:
                    return

    def _answer(self, head: str) -> bytes:
        if head.startswith("get"):
            body = LISTS[self.protocol]
            return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
                len(body),
                body,
            )
        pieces = b"".join(map(chunk, answer(self.protocol, "so")))
        kind = TYPES[self.protocol].encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n%s0\r\n\r\n" % (kind, pieces)


@pytest.fixture(params=["http", "https"])
def tls(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> ssl.SSLContext | None:
    if request.param == "http":
        return None
    authority = trustme.CA()
    place = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(place)
    monkeypatch.setenv("SSL_CERT_FILE", str(place))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@asynccontextmanager
async def serving(
    plan: Mapping[tuple[int, int], Act], protocol: Protocol = "openai", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    server = Server(protocol, plan)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    async with listening:
        yield server


def adapter(provider: str, server: Server, client: Client) -> Remote:
    return REMOTE[provider](named(provider, server.url), client)


async def heard(provider: Remote, request: ChatRequest = REQUEST) -> tuple[list[Event], ProviderError | None]:
    events: list[Event] = []
    try:
        async with aclosing(provider.stream(request)) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - what came before an error must be kept
    except ProviderError as error:
        return events, error
    return events, None


CLOSINGS = [EOF, RST, EOF_AT_THE_HEAD, RST_AT_THE_HEAD]


@pytest.mark.parametrize("act", CLOSINGS, ids=["eof", "rst", "eof at the head", "rst at the head"])
@pytest.mark.parametrize("provider", sorted(SPEAKS))
async def test_a_kept_connection_that_closes_is_no_failure(provider: str, act: Act, tls: ssl.SSLContext | None) -> None:
    async with serving({(1, 2): act}, SPEAKS[provider], tls) as server, open_client() as client:
        for _ in range(3):
            events, error = await heard(adapter(provider, server, client))
            assert (text_of(events), error) == ("so", None)
            assert isinstance(events[-1], Finished)
        assert [connection for connection, _ in server.heads] == [1, 1, 2, 2]


@pytest.mark.parametrize("act", CLOSINGS, ids=["eof", "rst", "eof at the head", "rst at the head"])
@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_so_with_a_list_of_models(provider: str, act: Act, tls: ssl.SSLContext | None) -> None:
    async with serving({(1, 2): act}, SPEAKS[provider], tls) as server, open_client() as client:
        model = named(provider, server.url)
        for _ in range(2):
            [check] = await check_models([model], client)
            assert check.usable, check.message
        assert [connection for connection, _ in server.heads] == [1, 1, 2]


@large
@pytest.mark.parametrize("act", [EOF_AT_THE_HEAD, RST_AT_THE_HEAD], ids=["eof", "rst"])
@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_so_while_a_long_body_is_being_sent(provider: str, act: Act, tls: ssl.SSLContext | None) -> None:
    async with serving({(1, 2): act}, SPEAKS[provider], tls) as server, open_client() as client:
        await heard(adapter(provider, server, client))
        events, error = await heard(adapter(provider, server, client), LARGE)
        assert (text_of(events), error) == ("so", None)
        assert [connection for connection, _ in server.heads] == [1, 1, 2]


@pytest.mark.parametrize("provider", sorted(SPEAKS))
async def test_a_server_that_closes_behind_each_answer(provider: str, tls: ssl.SSLContext | None) -> None:
    plan = {(connection, 1): ANSWERS_AND_CLOSES for connection in range(1, 41)}
    async with serving(plan, SPEAKS[provider], tls) as server, open_client() as client:
        for _ in range(20):
            events, error = await heard(adapter(provider, server, client))
            assert (text_of(events), error) == ("so", None)
        assert len(server.heads) == 20


@pytest.mark.parametrize("act", CLOSINGS, ids=["eof", "rst", "eof at the head", "rst at the head"])
@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_a_new_connection_that_closes_is_a_failure(provider: str, act: Act, tls: ssl.SSLContext | None) -> None:
    async with serving({(1, 1): act}, SPEAKS[provider], tls) as server, open_client() as client:
        _, error = await heard(adapter(provider, server, client))
        assert isinstance(error, ConnectFailed)
        assert "closed the connection before it answered" in error.message
        [check] = await check_models([named(provider, server.url)], client)
        assert check.usable
        assert [connection for connection, _ in server.heads] == [1, 2]


@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_a_list_is_asked_for_once_on_a_new_connection(provider: str) -> None:
    async with serving({(1, 1): EOF}, SPEAKS[provider]) as server, open_client() as client:
        [check] = await check_models([named(provider, server.url)], client)
        assert not check.usable
        assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("act", "kind"),
    [(HALF_A_HEAD, ConnectFailed), (HALF_A_HEAD_RST, ConnectFailed), (HINTS, ConnectFailed)],
    ids=["half a status", "half a head", "early hints"],
)
@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_bytes_of_an_answer_are_a_failure(provider: str, act: Act, kind: type[ProviderError]) -> None:
    async with serving({(1, 2): act}, SPEAKS[provider]) as server, open_client() as client:
        await heard(adapter(provider, server, client))
        _, error = await heard(adapter(provider, server, client))
        assert isinstance(error, kind | BadAnswer)
        assert len(server.heads) == 2


@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_an_answer_that_began_is_never_asked_again(provider: str) -> None:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n" % TYPES[SPEAKS[provider]].encode()
    )
    half = Act(head + chunk(answer(SPEAKS[provider], "so")[0]), "eof")
    async with serving({(1, 2): half}, SPEAKS[provider]) as server, open_client() as client:
        await heard(adapter(provider, server, client))
        _, error = await heard(adapter(provider, server, client))
        assert isinstance(error, Interrupted)
        assert len(server.heads) == 2


@pytest.mark.parametrize("provider", ["openai", "ollama"])
async def test_two_that_close_are_a_failure_and_never_more(provider: str) -> None:
    async with serving({(1, 2): EOF, (2, 1): RST}, SPEAKS[provider]) as server, open_client() as client:
        await heard(adapter(provider, server, client))
        _, error = await heard(adapter(provider, server, client))
        assert isinstance(error, ConnectFailed)
        assert [connection for connection, _ in server.heads] == [1, 1, 2]


async def test_of_many_that_were_kept_one_is_tried() -> None:
    lanes = 5
    plan = {(connection, 2): EOF for connection in range(1, lanes + 1)}
    async with serving(plan) as server, open_client() as client:
        server.together = asyncio.Barrier(lanes)
        await asyncio.gather(*(heard(adapter("openai", server, client)) for _ in range(lanes)))
        server.together = None
        assert server.connections == lanes
        events, error = await heard(adapter("openai", server, client))
        assert (text_of(events), error) == ("so", None)
        assert (len(server.heads), server.connections) == (lanes + 2, lanes + 1)


async def test_lanes_that_all_meet_closed_connections_are_all_answered() -> None:
    lanes = 8
    plan = {(connection, 2): RST for connection in range(1, lanes + 1)}
    async with serving(plan) as server, open_client() as client:
        server.together = asyncio.Barrier(lanes)
        await asyncio.gather(*(heard(adapter("openai", server, client)) for _ in range(lanes)))
        server.together = None
        told = await asyncio.gather(*(heard(adapter("openai", server, client)) for _ in range(lanes)))
        assert [(text_of(events), error) for events, error in told] == [("so", None)] * lanes


@pytest.mark.parametrize(("plan", "lost"), [({}, False), ({(1, 2): EOF}, True)])
async def test_the_response_tells_what_the_closed_connection_took(
    plan: dict[tuple[int, int], Act], *, lost: bool
) -> None:
    async with serving(plan) as server, open_client() as client:
        for again in (False, True):
            async with aclosing(await client.send("POST", server.url, headers={}, content=b"?")) as response:
                await response.aread()
            told = response.extensions[RECONNECTED]
            assert (told is not None and told > 0) is (again and lost)


@pytest.mark.parametrize("provider", sorted(SPEAKS))
async def test_it_is_no_try_and_is_told(provider: str) -> None:
    async with (
        serving({(1, 2): RST}, SPEAKS[provider]) as server,
        open_client() as client,
        EmbeddedModels(client) as embedded,
    ):
        asked = Providers(client, embedded.provider).for_model(named(provider, server.url))
        for again in (False, True):
            events = [event async for event in asked.stream(REQUEST)]
            assert text_of(events) == "so"
            assert not [event for event in events if isinstance(event, Retrying)]
            told = [event for event in events if isinstance(event, Reconnected)]
            assert len(told) == again
            assert all(event.lost_s > 0 for event in told)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_so_on_either_loop(loop: str) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def work() -> None:
        async with serving({(1, 2): RST}) as server, open_client() as client:
            for _ in range(2):
                events, error = await heard(adapter("openai", server, client))
                assert (text_of(events), error) == ("so", None)

    factory: Callable[[], asyncio.AbstractEventLoop] = (
        asyncio.new_event_loop if loop == "asyncio" else uvloop.new_event_loop
    )
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(asyncio.wait_for(work(), 30))
