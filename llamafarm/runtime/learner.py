"""What was learnt of each project, at hand: read anew when something was judged, and fitted in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llamafarm.config.model import Project
from llamafarm.core.errors import StoreError
from llamafarm.history.model import ProjectRef
from llamafarm.routing import Unlearnt

if TYPE_CHECKING:
    from llamafarm.experiments.learnt.gathered import Gathered
    from llamafarm.experiments.learnt.learnt import Learnt
    from llamafarm.history.database.history import History
    from llamafarm.routing import Learned

    Gather = Callable[[History, ProjectRef], Awaitable[Gathered]]
    Learn = Callable[[Project, Gathered], Learnt]


@dataclass(slots=True)
class _Known:
    """What was learnt of one project file, from evidence as it was at `mark`."""

    mark: object
    digest: str
    learnt: Learned


@dataclass(slots=True)
class Learner:
    """Keeps the newest fit of each project. One is made at a time, in a thread."""

    _known: dict[tuple[str, str], _Known] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def at_hand(self, project: Project | None) -> Learned | None:
        """What was learnt last of `project`, without waiting for anything; None where its file was another."""
        known = None if project is None else self._known.get((project.namespace, project.name))
        return known.learnt if known and project and known.digest == project.digest else None

    async def of(self, history: History, project: Project) -> Learned | None:
        """What the history as it is now teaches of `project`; None where it can't be read, which it says elsewhere."""
        try:
            async with self._turn:
                return await self._newest(history, project)
        except StoreError:
            return None

    async def _newest(self, history: History, project: Project) -> Learned:
        place, mark = (project.namespace, project.name), await history.taught()
        known = self._known.get(place)
        if known is not None and known.mark == mark and known.digest == project.digest:
            return known.learnt
        learnt = await learnt_of(history, project) if any(mark) else Unlearnt(project)
        self._known[place] = _Known(mark, project.digest, learnt)
        return learnt


async def learnt_of(history: History, project: Project) -> Learnt:
    """What the history teaches of `project`, read and fitted now."""
    gather, learn = await asyncio.to_thread(_loaded)
    gathered = await gather(history, ProjectRef(project.namespace, project.name))
    return await asyncio.to_thread(learn, project, gathered)


def _loaded() -> tuple[Gather, Learn]:
    """In a thread: with it comes numpy, 0.1 s that a comparison without evidence spares."""
    from llamafarm.experiments.learnt.gathered import gather  # noqa: PLC0415 - see above
    from llamafarm.experiments.learnt.learnt import learn  # noqa: PLC0415 - see above

    return gather, learn
