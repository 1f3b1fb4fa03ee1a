"""Turns recorded checks and votes into the outcomes that a router learns from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from llamafarm.core.errors import RequestError
from llamafarm.experiments.checks.budget import Budget
from llamafarm.experiments.checks.checks import Check, check_of
from llamafarm.history.model import Ended, Recorded, Vote
from llamafarm.learning.evidence import lane_key
from llamafarm.learning.labels import Ballot, Compared, Judged


async def evidence_of(recorded: AsyncIterator[Recorded]) -> AsyncGenerator[Compared, None]:
    """Each comparison in which something was said of two answers or more. Checks are made in a thread."""
    async for each in recorded:
        found = await asyncio.to_thread(compared, each)
        if found is not None:
            yield found


def compared(recorded: Recorded) -> Compared | None:
    """A recorded comparison as evidence; None where it teaches nothing. Its checks may take a second an answer.

    Answers count for the model that gave them, also after a fallback. Those that failed or were staged don't count, nor
    does a vote for one of them.
    """
    whole = [lane for lane in recorded.lanes if lane.reply.status == "done" and not lane.reply.staged]
    checks = _checks(recorded)
    answers = tuple(Judged(key_of(lane, recorded), _passed(checks, lane)) for lane in whole)
    ballot = _ballot(recorded.vote, {lane.spec.id: key_of(lane, recorded) for lane in whole})
    at = max((lane.ended_at for lane in whole), default=recorded.asked.started_at)
    if recorded.vote is not None and ballot is not None:
        at = max(at, recorded.vote.voted_at)
    found = Compared(recorded.asked.id, at, recorded.asked.prompt, answers, ballot)
    return found if len({answer.lane for answer in answers}) > 1 and found.judged else None


def key_of(lane: Ended, recorded: Recorded) -> str:
    """By what the lane is known, from what answered and how it was asked."""
    system = recorded.asked.system if lane.spec.system is None else lane.spec.system
    return lane_key(lane.reply.provider, lane.reply.model_id, system, lane.parameters)


def _checks(recorded: Recorded) -> list[Check]:
    """Those that are understood: what an older or newer version recorded may not be."""
    found = []
    for text in recorded.asked.checks:
        with suppress(RequestError):
            found.append(check_of(text))
    return found


def _passed(checks: list[Check], lane: Ended) -> float | None:
    """The share of the checks that an answer passes, of those that could be told."""
    budget = Budget()
    told = [verdict.passed for check in checks if (verdict := check(lane.reply.text, budget)).passed is not None]
    return sum(told) / len(told) if told else None


def _ballot(vote: Vote | None, keys: dict[str, str]) -> Ballot | None:
    if vote is None or (vote.choice == "best" and vote.lane not in keys):
        return None
    return Ballot(vote.choice, None if vote.lane is None else keys.get(vote.lane), vote.blind)
