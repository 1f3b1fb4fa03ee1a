"""From a reply to a sample: its checks, and what the judge says of it."""

from __future__ import annotations

import asyncio

from llamafarm.engine.grid import Prompt
from llamafarm.reply import Reply
from llamafarm.study.judge import score_of
from llamafarm.study.sample import Judged


async def checked(prompt: Prompt, reply: Reply) -> tuple[bool | None, tuple[str, ...]]:
    """Whether the answer passes all checks of its prompt (None: it has none, or one can't be told), and why not.

    Checks run in a thread: a regular expression may take its time.
    """
    if not prompt.checks or reply.status != "done":
        return None, ()
    verdicts = await asyncio.to_thread(lambda: [(check, check(reply.text)) for check in prompt.checks])
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
