"""Gives up an MCP server that sends more than its bounds allow, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MAX_LINE = 16 * 1024 * 1024  # bytes of one message, as for an answer of a model
MOST_MESSAGES, WITHIN_S = 5_000, 10.0


@dataclass(slots=True)
class Flood:
    """Counts what a server sends. `told` says in a few words what was too much; empty while all is well."""

    clock: Callable[[], float] = time.monotonic
    told: str = ""
    _began: float = 0.0
    _count: int = 0

    def message(self) -> bool:
        """One more has come. Whether they are too many."""
        now = self.clock()
        if now - self._began > WITHIN_S:
            self._began, self._count = now, 0
        self._count += 1
        if self._count > MOST_MESSAGES:
            self.told = f"more than {MOST_MESSAGES:,} messages within {WITHIN_S:g} s"
        return bool(self.told)

    def line(self) -> None:
        """One message is longer than any may be."""
        self.told = f"a message of more than {MAX_LINE // 1024 // 1024} MiB"
