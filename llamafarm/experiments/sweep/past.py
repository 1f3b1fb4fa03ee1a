"""What a sweep of the history found, without asking anything."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

from llamafarm.core.reply import Reply
from llamafarm.experiments.grade import checked, judged
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.sweep import JUDGED, Result


async def past_results(grid: Grid, replies: Mapping[str, Reply]) -> AsyncGenerator[Result, None]:
    """The results of the calls of `grid` that ended, from their `replies` by key; checks are made again."""
    for call in grid.calls():
        key = grid.key(call)
        reply = replies.get(key)
        if reply is None:
            continue
        passed, notes = await checked(grid.prompts[call.prompt], reply)
        verdict = replies.get(key + JUDGED) if grid.judge is not None and reply.status == "done" else None
        grade = judged(verdict) if verdict is not None else None
        yield Result(call, Sample(call.prompt, call.repeat, reply, passed, grade, notes), resumed=True)
