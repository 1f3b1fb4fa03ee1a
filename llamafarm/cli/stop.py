"""Stopping: Ctrl-C and SIGTERM end the generation at the server, and keep what had come."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stop:
    """Stops what runs now, or what runs next; `by` is the signal that asked for it."""

    by: signal.Signals | None = None
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
        """The first Ctrl-C or SIGTERM stops; the next one ends the process as it would any other."""
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError):  # Windows: there Ctrl-C cancels the main task
            for number in SIGNALS:
                loop.add_signal_handler(number, self._signalled, number)
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                for number in SIGNALS:
                    loop.remove_signal_handler(number)

    def _signalled(self, number: signal.Signals) -> None:
        self.by = number
        loop = asyncio.get_running_loop()
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self()

    @property
    def code(self) -> int | None:
        """The exit code of a command that was stopped by a signal, as shells count: 130 or 143."""
        return None if self.by is None else 128 + self.by
