"""lf chat as a process: what only a real one shows, with its pipes, signals, locale and the embedded model."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import IO

import pytest

from tests.cli.helpers import HEAD, entry, lf, lf_async, started, written
from tests.faultserver.server import Exchange, FaultServer
from tests.faultserver.speech import answer, plays, said

PATIENCE_S = 30


async def test_the_answer_is_written_while_it_comes(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with FaultServer(plays("openai", [said("openai", "first "), gate, *answer("openai", "last")])) as server:
        written(tmp_path, HEAD + entry("fast", server.url))
        process = await started("chat", "Hello", folder=tmp_path)
        assert process.stdout is not None
        assert await process.stdout.readexactly(6) == b"first "
        gate.set()
        rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"last\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_stops_the_server_and_keeps_what_had_come(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    async with FaultServer(plays("openai", [said("openai", "Once upon")], then="hang")) as server:
        written(tmp_path, HEAD + entry("fast", server.url))
        process = await started("chat", "Tell me a story", folder=tmp_path)
        assert process.stdout is not None
        assert await process.stdout.readexactly(9) == b"Once upon"
        process.send_signal(number)
        await asyncio.wait_for(server.requests[0].gone.wait(), PATIENCE_S)
        rest, notes = await process.communicate()
    assert (process.returncode, rest) == (code, b"\n")
    assert notes.decode().endswith(" · route: default · stopped\n")
    assert b"Traceback" not in notes


async def test_a_signal_before_anything_came(tmp_path: Path) -> None:
    async with FaultServer(Exchange.hang) as server:
        written(tmp_path, HEAD + entry("fast", server.url))
        process = await started("chat", "--json", "Hi", folder=tmp_path)
        await asyncio.wait_for(server.arrived.wait(), PATIENCE_S)
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(server.requests[0].gone.wait(), PATIENCE_S)
        told, _ = await process.communicate()
    assert process.returncode == 130
    record = json.loads(told)
    assert (record["status"], record["partial"], record["timings"]["ttft_s"]) == ("stopped", True, None)


async def test_a_reader_that_goes_stops_the_server(tmp_path: Path) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head()
        while not exchange.seen.gone.is_set():
            await exchange.send(said("openai", "more and more\n"))
            await asyncio.sleep(0.01)

    async with FaultServer(endless) as server:
        written(tmp_path, HEAD + entry("fast", server.url))
        process = await started("chat", "Tell me a story", folder=tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        assert await process.stdout.readline() == b"more and more\n"
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.requests[0].gone.wait(), PATIENCE_S)
        assert await process.stderr.read() == b""
        assert await process.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_traceback(tmp_path: Path) -> None:
    async def main(full: IO[bytes]) -> None:
        async with FaultServer(plays("openai", answer("openai", "Yes."))) as server:
            written(tmp_path, HEAD + entry("fast", server.url))
            process = await started("chat", "Hello", folder=tmp_path, stdout=full)
            _, notes = await process.communicate()
        assert process.returncode == 1
        assert notes.decode().endswith("lf: The answer can't be written: No space left on device.\n")

    with Path("/dev/full").open("wb") as full:
        asyncio.run(main(full))


async def test_a_locale_without_umlauts_changes_the_notes_alone(tmp_path: Path) -> None:
    async with FaultServer(plays("openai", answer("openai", "Grüß Gott."))) as server:
        written(tmp_path, HEAD + entry("fast", server.url))
        done = await lf_async("chat", "Hello", folder=tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (done.returncode, done.stdout) == (0, "Grüß Gott.\n")
    assert done.stderr.startswith("fast (openai fast-id) ? TTFT ")


def test_a_real_answer_without_any_project(tmp_path: Path) -> None:
    done = lf("chat", "--max-tokens", "12", "--temperature", "0", "Say hello.", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "the bundled sample is used" in done.stderr
    assert " · free · " in done.stderr
