"""Wrong keys and passwords: whoever keeps trying is slowed down, by the address that the tries come from."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache

log = logging.getLogger(__name__)

FREE = 10  # wrong tries that cost nothing: people mistype, programs are set up
FIRST_S, LONGEST_S = 0.25, 2.0  # how long the next try waits then, doubled with each; many clients wait for 5
FORGOTTEN_S = 300.0  # after the last wrong try
ADDRESSES = 4_096  # that are remembered; the one whose last try is oldest is forgotten for another
WAITING = 8  # tries of one address that wait at once; more are refused unseen
NETWORK = 64  # bits of an IPv6 address that one household has; the rest it chooses as it likes


class TooManyTries(Exception):
    """So many tries of one address wait already that another is not looked at."""


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    at: float = 0.0
    waiting: int = 0
    line: asyncio.Lock = field(default_factory=asyncio.Lock)


class Attempts:
    """Remembers how often each address was wrong; none waits for what another did.

    Tries of one address wait one behind the other, right ones too: otherwise many at once would be as fast, and the one
    that does not wait would be the right one. A right one ends the waiting. `clock` gives seconds, `pause` waits them.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._pause = pause
        self._known: OrderedDict[str, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def waits(self, address: str) -> bool:
        """Whether a try from `address` has to wait for its `turn` now."""
        tries = self._known.get(_counted(address)) if self._known else None
        return tries is not None and self._wait_s(tries) > 0

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """When a try from `address` may be looked at. Raises TooManyTries."""
        tries = self._known.get(_counted(address))
        if tries is None or not self._wait_s(tries):
            yield
            return
        if tries.waiting >= WAITING:
            raise TooManyTries
        tries.waiting += 1
        try:
            async with tries.line:
                await self._pause(self._wait_s(tries))
                yield
        finally:
            tries.waiting -= 1

    def wrong(self, address: str) -> None:
        """A key or password from `address` was wrong. The fact is logged, at the first and ever more rarely."""
        key, now = _counted(address), self._clock()
        tries = self._known.setdefault(key, _Tries())
        tries.wrong = 1 if now - tries.at > FORGOTTEN_S else tries.wrong + 1
        tries.at = now
        self._known.move_to_end(key)
        while len(self._known) > ADDRESSES:
            self._known.popitem(last=False)
        if tries.wrong == FREE or tries.wrong & (tries.wrong - 1) == 0:
            slowed = "; its next tries are slowed down" if tries.wrong >= FREE else ""
            log.warning("Wrong keys or passwords from %s: %d%s.", key, tries.wrong, slowed)

    def right(self, address: str) -> None:
        """One from `address` was right: the next does not wait, and the next wrong one makes it wait again."""
        tries = self._known.get(_counted(address)) if self._known else None
        if tries is not None:
            tries.wrong = min(tries.wrong, FREE - 1)

    def _wait_s(self, tries: _Tries) -> float:
        if tries.wrong < FREE or self._clock() - tries.at > FORGOTTEN_S:
            return 0.0
        return min(FIRST_S * 2.0 ** min(tries.wrong - FREE, 10), LONGEST_S)


@lru_cache(ADDRESSES)
def _counted(address: str) -> str:
    """What stands for `address`: an IPv6 network for all that is in it; what a header made up, for nobody."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "an unknown address"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), NETWORK), strict=False))
    return str(parsed)
