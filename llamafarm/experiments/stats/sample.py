"""One answer of a study, with what was found out about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from llamafarm.core.figures import Money
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost

COLD_S = 0.05  # of loading: a TTFT that holds more is not the model's own
WAITED_S = 0.05  # in the server's queue: less is what every answer takes


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judge model said: `score` from 0 to 1, None where it gave none; `cost` is the judging's own."""

    score: float | None
    cost: Cost
    text: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The answer number `repeat` to prompt number `prompt`, both from 0.

    `passed`: whether it passed all its checks; None where it has none, or they could not be told.
    """

    prompt: int
    repeat: int
    reply: Reply
    passed: bool | None = None
    judged: Judged | None = None
    notes: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the model itself gave a whole answer."""
        return self.reply.status == "done" and self.reply.model == self.reply.asked

    @property
    def timed(self) -> bool:
        """Whether its timings are the model's own: nothing staged, nothing loaded, no failed try in them.

        What a place here or a closed connection took is known to the microsecond and taken off; what a failed try left
        behind at its server is not known, so such an answer is in no time at all.
        """
        reply = self.reply
        return self.answered and not (reply.staged or reply.retries or self.cold)

    @property
    def cold(self) -> bool:
        """Whether its model had to be loaded first."""
        return (self.reply.timings.load_s or 0.0) >= COLD_S

    @property
    def waited(self) -> bool:
        """Whether it waited for other answers in the server's own queue, as far as the server tells."""
        return (self.reply.timings.server_queue_s or 0.0) >= WAITED_S

    @property
    def late(self) -> bool:
        """Whether the playground's own lateness makes one of its times doubtful."""
        return self.reply.timings.ttft_doubtful or self.reply.timings.total_doubtful

    @property
    def ttft_s(self) -> float | None:
        """TTFT without the wait for a place, here or at the server, and without closed connections: this run's, not
        the model's.
        """
        return self._without(self.reply.timings.served_ttft_s, self.reply.ttft_lost_s)

    @property
    def total_s(self) -> float | None:
        """The time to the end, likewise."""
        return self._without(self.reply.timings.served_total_s, self.reply.lost_s)

    def _without(self, span_s: float | None, lost_s: float) -> float | None:
        return None if span_s is None or not self.timed else max(span_s - lost_s, 0.0)


def money(costs: Sequence[Cost]) -> Money:
    """The sum of the known costs, and how many are not."""
    known = [cost.usd for cost in costs if cost.usd is not None]
    estimated = any(cost.estimated for cost in costs if cost.usd is not None)
    free = bool(costs) and all(cost.source == "free" for cost in costs)
    return Money(sum(known, Decimal(0)) if known else None, len(costs) - len(known), estimated, free)
