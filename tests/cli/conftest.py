"""`lf` in this process, which is quick, beside model servers that run in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from llamafarm.cli import main
from tests.faultserver.server import FaultServer, Script


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: its exit code, and what it wrote."""

    code: int
    out: bytes
    notes: str

    @property
    def text(self) -> str:
        return self.out.decode()


Run = Callable[..., Done]
Serve = Callable[..., FaultServer]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs `lf` in the test's folder, with `given` on standard input."""

    def runner(*arguments: str, given: bytes = b"") -> Done:
        monkeypatch.chdir(tmp_path)
        source = tmp_path / "standard input"
        source.write_bytes(given)
        with source.open() as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            with pytest.raises(SystemExit) as exited:
                main(arguments)
        out, notes = capfdbinary.readouterr()
        code = exited.value.code
        return Done(code if isinstance(code, int) else 0, out, notes.decode())

    return runner


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a model server that plays a script, until the test's end."""
    with ExitStack() as stack:
        yield lambda script, *scripts: stack.enter_context(_served(script, *scripts))


def left(server: FaultServer, at: int = -1) -> bool:
    """Whether the client of a request closes its connection, which is how a server learns to stop."""
    return asyncio.run_coroutine_threadsafe(server.requests[at].gone.wait(), server._loop).result(20)


@contextmanager
def _served(script: Script, *scripts: Script) -> Iterator[FaultServer]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = FaultServer(script, *scripts)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(20)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
