"""How long the checks of one answer may take, all together."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

BUDGET_S = 1.0


class OutOfTime(Exception):
    """The time for the checks of an answer is over."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A deadline that whoever takes long looks at again and again. Starts when it is made."""

    seconds: float = BUDGET_S
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left. Raises OutOfTime where there are none."""
        left = self.began + self.seconds - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left
