"""Stopping: Ctrl-C, SIGTERM and SIGHUP end the generation at the server, and keep what had come."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from llamafarm.access.signals import stopping_signals

ONE_WISH_S = 0.5  # `timeout` sends its signal to the process and to its group: two within milliseconds are one wish


@dataclass(slots=True)
class Stop:
    """Stops what runs now, or what runs next; `by` is the signal that asked for it."""

    by: signal.Signals | None = None
    _at: float = 0.0
    _asked: bool = False
    _running: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self) -> None:
        """Stop what runs."""
        self._asked = True
        for stop in self._running:
            stop()

    @contextmanager
    def stops(self, stop: Callable[[], None]) -> Iterator[None]:
        """`stop` is called when stopping is asked for, or was already."""
        self._running.append(stop)
        try:
            if self._asked:
                stop()
            yield
        finally:
            self._running.remove(stop)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """The first signal stops. One that comes later than `ONE_WISH_S` ends the process as it would any other."""
        loop, numbers = asyncio.get_running_loop(), stopping_signals()
        with suppress(NotImplementedError):  # Windows: there Ctrl-C cancels the main task
            for number in numbers:
                loop.add_signal_handler(number, self._signalled, number)
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                for number in numbers:
                    loop.remove_signal_handler(number)
                    if self.by is not None:  # what was stopped is still to be told
                        signal.signal(number, self._again)

    def _signalled(self, number: signal.Signals) -> None:
        if self.by is not None:
            self._again(number, None)
            return
        self.by, self._at = number, time.monotonic()
        self()

    def _again(self, number: int, _frame: object) -> None:
        if time.monotonic() - self._at > ONE_WISH_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    @property
    def code(self) -> int | None:
        """The exit code of a command that was stopped by a signal, as shells count: 130 or 143."""
        return None if self.by is None else 128 + self.by
