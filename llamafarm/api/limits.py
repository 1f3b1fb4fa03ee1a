"""How many answers one caller may have running at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from llamafarm.api.errors import LIMITED, ApiError


@dataclass(slots=True)
class Generations:
    """Counts running answers by caller; `limit` for each."""

    limit: int
    _running: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def running(self, caller: str, count: int = 1) -> Iterator[None]:
        """Hold places for `count` answers. Raises ApiError (429) where they would be too many."""
        if self._running[caller] + count > self.limit:
            message = (
                f"{self._running[caller]} answers are running for this key, and {self.limit} may: wait for some to end."
            )
            raise ApiError(429, message, "too_many_generations", LIMITED, headers={"retry-after": "1"})
        self._running[caller] += count
        try:
            yield
        finally:
            self._running[caller] -= count
            if not self._running[caller]:
                del self._running[caller]

    def total(self) -> int:
        """Answers that are running now, of all callers."""
        return self._running.total()
