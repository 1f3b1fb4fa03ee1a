"""An event loop in a thread of its own, so that the main thread is free to read lines and to get Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

LOOK_EVERY_S = 0.2  # a signal that comes just before the wait begins does not end it

T = TypeVar("T")
R = TypeVar("R")


class Background(Generic[R]):
    """Runs coroutines in its loop while the main thread waits; `resource` is open as long as it is entered.

    The loop goes on between two calls, so that connections which a server closes meanwhile are noticed.
    """

    def __init__(self, opens: Callable[[], AbstractAsyncContextManager[R]]) -> None:
        self._opens = opens
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="lf loop", daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self.resource: R

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    def run(self, work: Coroutine[Any, Any, T], interrupt: Callable[[], None]) -> T:
        """The result of `work`. Each Ctrl-C calls `interrupt` in the loop, and the wait goes on. In the main thread."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        before = signal.signal(signal.SIGINT, lambda *_: self.interrupt(interrupt))
        try:
            while not future.done():
                wait((future,), LOOK_EVERY_S)
        finally:
            signal.signal(signal.SIGINT, before)
        return future.result()

    def interrupt(self, stop: Callable[[], None]) -> None:
        """Call `stop` in the loop."""
        self._loop.call_soon_threadsafe(stop)

    async def _main(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self._opens() as self.resource:
                self._ready.set()
                await self._done.wait()
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._ready.set()
