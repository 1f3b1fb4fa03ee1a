"""One call of a batch: a lane, its record, and the reply that it comes to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llamafarm.config.model import Project
from llamafarm.core.events import Event, Stopped
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import LaneEvent, Watch
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Recording
from llamafarm.engine.replies import Board, Marks, Prices, unmarked
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
        question, board = job.question(row), Board(project, (lane,), prices, marks)
        watch: Watch = board.add
        if run is not None:
            identity, origin = run.origin(row)
            watch = Recording(run.recorder, project, lanes, question, origin, board, identity).watch
        await _followed(chat(lane, question), lane, watch)
        return board.reply(lane.id)

    return ask


async def _followed(events: AsyncGenerator[Event, None], lane: Lane, watch: Watch) -> None:
    """Let `watch` see all of a lane; one that is stopped ends with `Stopped`, once its server knows."""
    try:
        async with aclosing(events):
            async for event in events:
                watch(LaneEvent(lane.id, event))
    except asyncio.CancelledError:
        watch(LaneEvent(lane.id, Stopped(at=time.perf_counter())))
        raise
