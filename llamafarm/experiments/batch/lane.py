"""One call of a batch: a lane, its record, and the reply that it comes to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llamafarm.config.model import Project
from llamafarm.core.events import Event, Stopped
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import LaneEvent, Record
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Recording
from llamafarm.engine.replies import Marks, Prices, Replies, unmarked
from llamafarm.experiments.batch.batch import Ask
from llamafarm.experiments.batch.job import Job, lanes_of
from llamafarm.experiments.batch.run import BatchRun
from llamafarm.experiments.prompt_file.row import Row

Chat = Callable[[Lane, Question], AsyncGenerator[Event, None]]


def asking(
    project: Project, job: Job, prices: Prices, chat: Chat, run: BatchRun | None, marks: Marks = unmarked
) -> Ask:
    """What asks a model a row, and records it as a piece of `run`, where there is one."""
    lanes = {lane.id: lane for lane in lanes_of(job)}

    async def ask(row: Row, lane: Lane) -> Reply:
        question, replies, record = job.question(row), Replies(project, (lane,), prices, marks), None
        if run is not None:
            identity, origin = run.origin(row)
            record = Recording(run.recorder, project, lanes, question, origin, replies, identity)
        await _followed(chat(lane, question), lane, replies, record)
        return replies.reply(lane.id)

    return ask


async def _followed(events: AsyncGenerator[Event, None], lane: Lane, replies: Replies, record: Record | None) -> None:
    """Let `replies` and `record` take all of a lane; one that is stopped ends with `Stopped`, once its server knows."""

    def take(event: Event) -> None:
        replies.add(lane.id, event)
        if record is not None:
            record.watch(LaneEvent(lane.id, event))

    try:
        async with aclosing(events):
            async for event in events:
                take(event)
    except asyncio.CancelledError:
        take(Stopped(at=time.perf_counter()))
        raise
