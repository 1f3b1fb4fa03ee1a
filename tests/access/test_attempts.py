"""Wrong keys: slowed down by address, in bounded memory, told in the log without the key."""

from __future__ import annotations

import asyncio
import logging

import pytest
from pydantic import SecretStr

from llamafarm.access.asgi import CALLER, Message, Receive, Scope, Send
from llamafarm.access.attempts import ADDRESSES, FORGOTTEN_S, FREE, LONGEST_S, WAITING, Attempts, TooManyTries
from llamafarm.access.auth import Authentication
from llamafarm.access.settings import ServerSettings

KEY = "the-right-key"
WRONG = "a-wrong-key-that-nobody-may-read"


class Clock:
    """Time that passes where somebody waits."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.paused: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds


class Server:
    """A gate with one key, asked from many addresses."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.attempts = Attempts(self.clock, self.clock.pause)
        settings = ServerSettings(api_keys=(SecretStr(KEY),))
        self.gates = [Authentication(self._app, settings, self.attempts) for _ in range(2)]

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope[CALLER] == "key 1"
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, key: str | None, address: str = "9.9.9.9", gate: int = 0) -> int:
        sent: list[Message] = []

        async def nothing() -> Message:
            raise AssertionError

        async def take(message: Message) -> None:
            sent.append(message)

        headers = [] if key is None else [(b"authorization", f"Bearer {key}".encode())]
        scope: Scope = {"type": "http", "path": "/v1/models", "headers": headers, "client": (address, 1)}
        await self.gates[gate](scope, nothing, take)
        status: int = sent[0]["status"]
        return status


async def test_the_first_wrong_ones_are_free_and_the_next_wait_ever_longer() -> None:
    server = Server()
    for number in range(FREE + 8):
        assert await server.ask(WRONG, gate=number % 2) == 401
    paused = server.clock.paused
    assert len(paused) == 8
    assert paused == sorted(paused)
    assert (paused[0], paused[-1]) == (0.25, LONGEST_S)


async def test_a_right_key_from_another_address_never_waits() -> None:
    server = Server()
    for _ in range(FREE + 5):
        await server.ask(WRONG)
    before = len(server.clock.paused)
    for address in ("9.9.9.8", "127.0.0.1", "2001:db8::1"):
        assert await server.ask(KEY, address) == 200
    assert len(server.clock.paused) == before


async def test_a_right_key_from_the_same_address_waits_once() -> None:
    server = Server()
    for _ in range(FREE + 3):
        await server.ask(WRONG)
    before = len(server.clock.paused)
    for _ in range(5):
        assert await server.ask(KEY) == 200
    assert len(server.clock.paused) == before + 1
    await server.ask(WRONG)
    await server.ask(WRONG)
    assert len(server.clock.paused) == before + 2  # it is no free pass for the next guesses


async def test_asking_without_a_key_is_no_try() -> None:
    server = Server()
    for _ in range(5 * FREE):
        assert await server.ask(None) == 401
    assert len(server.attempts) == 0


async def test_many_at_once_are_no_faster_and_only_so_many_wait() -> None:
    gate = asyncio.Event()
    looked: list[int] = []

    async def pause(_: float) -> None:
        await gate.wait()

    attempts = Attempts(pause=pause)
    for _ in range(FREE):
        attempts.wrong("9.9.9.9")

    async def attempt(number: int) -> None:
        async with attempts.turn("9.9.9.9"):
            looked.append(number)
            assert sum(tries.line.locked() for tries in attempts._known.values()) == 1

    tasks = [asyncio.create_task(attempt(number)) for number in range(WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyTries):
        await attempt(99)
    tasks[0].cancel()
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert looked == list(range(1, WAITING))
    async with attempts.turn("9.9.9.9"):  # those that were cancelled wait no more
        pass


async def test_after_a_while_all_is_forgotten() -> None:
    server = Server()
    for _ in range(FREE + 1):
        await server.ask(WRONG)
    server.clock.now += FORGOTTEN_S + 1
    before = len(server.clock.paused)
    assert await server.ask(WRONG) == 401
    assert len(server.clock.paused) == before


async def test_memory_is_bounded() -> None:
    attempts = Attempts()
    for number in range(ADDRESSES + 500):
        attempts.wrong(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    assert len(attempts) == ADDRESSES


@pytest.mark.parametrize(
    ("addresses", "known"),
    [
        ([f"2001:db8:1:2::{number:x}" for number in range(1, 20)], 1),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], 2),
        (["::ffff:9.9.9.9", "9.9.9.9"], 1),
        (["made up", "\r\nset-cookie: x", "", "9.9.9.9.9", "a" * 10_000], 1),
    ],
)
async def test_what_counts_as_one_address(addresses: list[str], known: int) -> None:
    attempts = Attempts()
    for address in addresses:
        attempts.wrong(address)
    assert len(attempts) == known


async def test_the_log_tells_the_fact_and_never_the_key(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    with caplog.at_level(logging.WARNING):
        for _ in range(200):
            await server.ask(WRONG)
    assert "Wrong keys or passwords from 9.9.9.9: 1." in caplog.text
    assert "its next tries are slowed down" in caplog.text
    assert WRONG not in caplog.text
    assert len(caplog.records) < 12
