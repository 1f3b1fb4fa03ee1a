"""Registry of open browser tabs and of everything that is kept for each, so that nothing outlives its tab.

A tab says by itself every `SPEAK_EVERY_S` that it is still there. One that has been quiet for `QUIET_S` has gone, or
its machine sleeps: what it holds ends. A tab that comes back later is told to load the page again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from llamafarm.ui.sessions import Session

SPEAK_EVERY_S = 60.0  # browsers let hidden tabs do something once a minute at most
QUIET_S = 5 * SPEAK_EVERY_S
LOOK_EVERY_S = 15.0
MOST = 300


@dataclass(slots=True)
class Tab:
    """One browser tab: when it spoke last, and the session of the project that it shows."""

    spoke_at: float
    session: Session | None = None

    @property
    def running(self) -> bool:
        """Whether something runs in it; then it is kept, however quiet it is."""
        return self.session is not None and self.session.running


@dataclass(slots=True)
class Tabs:
    """The newest `most` tabs that have spoken within `quiet_s` seconds; each of `ends` hears of one that ends."""

    most: int = MOST
    quiet_s: float = QUIET_S
    now: Callable[[], float] = time.monotonic
    ends: list[Callable[[str], None]] = field(default_factory=list)
    _tabs: OrderedDict[str, Tab] = field(default_factory=OrderedDict)

    def speak(self, key: str) -> Tab:
        """The tab `key` is there; it becomes the newest."""
        tab = self._tabs.setdefault(key, Tab(self.now()))
        tab.spoke_at = self.now()
        self._tabs.move_to_end(key)
        while len(self._tabs) > self.most:
            idle = (each for each, other in self._tabs.items() if each != key and not other.running)
            self._end(next(idle, next(iter(self._tabs))))
        return tab

    def get(self, key: str) -> Session | None:
        """The session of the tab `key`, if it is known; it becomes the newest."""
        return self.speak(key).session if key in self._tabs else None

    def put(self, key: str, session: Session) -> Session:
        """Start or replace the session of the tab `key`."""
        tab = self.speak(key)
        old, tab.session = tab.session, session
        if old is not None:
            old.close()
            session.past = old.past
        return session

    def end_quiet(self) -> None:
        """End the tabs that have been quiet for too long, but for those in which something runs."""
        before = self.now() - self.quiet_s
        for key in [key for key, tab in self._tabs.items() if tab.spoke_at < before and not tab.running]:
            self._end(key)

    def _end(self, key: str) -> None:
        tab = self._tabs.pop(key)
        if tab.session is not None:
            tab.session.close()
        for end in self.ends:
            end(key)

    @asynccontextmanager
    async def kept_short(self, _app: object = None) -> AsyncGenerator[None, None]:
        """As long as this is entered, quiet tabs end by themselves."""
        task = asyncio.create_task(self._look(), name="page tabs")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_EVERY_S, self.quiet_s))
            self.end_quiet()
