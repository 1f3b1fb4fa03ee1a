"""Grades a reply: the verdict of its checks, and the judge's score."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llamafarm.core.reply import Reply
from llamafarm.experiments.checks.budget import Budget
from llamafarm.experiments.checks.checks import Check
from llamafarm.experiments.judge import score_of
from llamafarm.experiments.stats.sample import Judged
from llamafarm.experiments.sweep.grid import Prompt

SWIFT = ("equals", "contains", "not-contains", "number", "json")  # kinds that take no time worth a thread …
SWIFT_LETTERS = 10_000  # … on an answer of so many letters


async def checked(prompt: Prompt, reply: Reply) -> tuple[bool | None, tuple[str, ...]]:
    """As `verdict`, for the checks of a prompt."""
    return await verdict(prompt.checks, reply)


async def verdict(checks: Sequence[Check], reply: Reply) -> tuple[bool | None, tuple[str, ...]]:
    """Whether an answer passes all `checks` (None: it has none, or one can't be told), and why not.

    What may take its time runs in a thread: a regular expression, a schema, a long answer.
    """
    if not checks or reply.status != "done":
        return None, ()
    if len(reply.text) <= SWIFT_LETTERS and all(check.kind in SWIFT for check in checks):
        return verdict_now(checks, reply)
    return await asyncio.to_thread(verdict_now, checks, reply)


def verdict_now(checks: Sequence[Check], reply: Reply) -> tuple[bool | None, tuple[str, ...]]:
    """The same at once. May take a second, for all checks together: not for the event loop."""
    if not checks or reply.status != "done":
        return None, ()
    budget = Budget()
    verdicts = [(check, check(reply.text, budget)) for check in checks]
    notes = tuple(
        f"{check.text}: {found.why or 'does not hold'}" for check, found in verdicts if found.passed is not True
    )
    if any(found.passed is False for _, found in verdicts):
        return False, notes
    return (None if notes else True), notes


def judged(reply: Reply) -> Judged:
    """What the judge's reply comes to."""
    error = "" if reply.failure is None else f"{reply.failure.message} {reply.failure.hint}".strip()
    score = score_of(reply.text) if reply.status == "done" else None
    return Judged(score, reply.cost, reply.text, error)
