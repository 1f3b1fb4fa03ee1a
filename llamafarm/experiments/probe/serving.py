"""Probe checks of concurrency: whether a cancelled answer frees the server, and whether answers run at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from llamafarm.core import display
from llamafarm.core.errors import RateLimited
from llamafarm.experiments.probe.checks import CHECKS
from llamafarm.experiments.probe.heard import Heard, bound_of
from llamafarm.history.probe import Finding

WORTH_S = 0.3  # of an answer that was left: less would not be seen
CERTAIN_S = 0.2  # of waiting behind it
HALF = 0.5
QUICK_S = 0.02  # an answer that took less does not tell whether another waited for it
ALIKE = 1.5  # times as long as the other: both were made meanwhile


def cancelling(left: Heard | None, then: Heard | None, counted: Heard, others: Iterable[Heard]) -> Finding:
    """Whether the answer after a cancelled one begins as soon as others do, though much of that one was left.

    What was left is reckoned from the pace of the answer that was `counted`. A server that tells how long the next one
    waited is believed.
    """
    check = CHECKS["cancel"]
    usual = min((each.first_s for each in others if each.first_s is not None), default=None)
    if left is None or then is None or not left.cancelled or left.ended is None or not then.arrivals or usual is None:
        return check.untold("No answer was cancelled while others could be timed.")
    rest = (bound_of(left.request) - 1) * _pace(counted)
    began = then.arrivals[0] - left.ended
    if then.queue_s is None:
        waited, told = began - usual, f"began after {display.seconds(began)}, others after {display.seconds(usual)}"
    else:  # the server's own word: a busy machine makes answers late too
        waited, told = then.queue_s, f"waited {display.seconds(then.queue_s)} in its queue, as it tells"
    evidence = f"Left with about {display.seconds(rest)} to go; the next {told}."
    if waited >= max(HALF * rest, CERTAIN_S):
        return check.no(evidence)
    return check.yes(evidence) if rest >= WORTH_S else check.untold(f"Too quick to tell. {evidence}")


def _pace(counted: Heard) -> float:
    """Seconds a token."""
    if counted.ended is None or not counted.arrivals:
        return 0.0
    span = counted.arrivals[-1] - counted.arrivals[0]
    if len(counted.arrivals) > 1 and counted.seen > 1:
        return span / (counted.seen - 1)
    return (counted.ended - counted.began) / max(counted.seen, 1)


def at_once(pair: tuple[Heard, ...]) -> Finding:
    """Whether the second of two answers that were asked for at once began before the first had ended."""
    check = CHECKS["at_once"]
    if limited := next((each for each in pair if isinstance(each.error, RateLimited)), None):
        return check.no(f"One of two was refused: {limited.why}")
    done = sorted((each for each in pair if each.done and each.arrivals and each.ended), key=lambda e: e.ended or 0.0)
    if len(done) < 2:  # noqa: PLR2004 - it takes two
        return check.untold(next((each.why for each in pair if each.why), "No two answers came to their end."))
    early, late = done
    took, other = _took(early), _took(late)
    if took < QUICK_S:
        return check.untold(f"The answers took {display.seconds(took)}: too quick to tell.")
    evidence = f"Two asked at once ended after {display.seconds(took)} and {display.seconds(other)}"
    if late.arrivals[0] < early.arrivals[-1]:
        return check.yes(f"{evidence}, the second begun meanwhile.")
    if len(early.arrivals) == 1 and other < ALIKE * took:
        return check.yes(f"{evidence}.")
    return check.no(f"{evidence}, the second begun after the first.")


def _took(heard: Heard) -> float:
    return (heard.ended or heard.began) - heard.began
