"""What the history has taught of routing, for one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamafarm.config.model import Project
    from llamafarm.routing import Learned


def learned_by(project: Project) -> Learned | None:
    """What the history teaches now; None where nothing is recorded, or it can't be read: a route needs no history."""
    import os

    from llamafarm.core.errors import StoreError
    from llamafarm.history.database.connecting.place import place_of
    from llamafarm.routing import Unlearnt

    place = place_of(os.environ)
    if place is None:
        return None
    if place.file is not None and not place.file.exists():
        return Unlearnt(project)
    import asyncio

    from llamafarm.runtime import open_history
    from llamafarm.runtime.learner import Learner

    async def read() -> Learned | None:
        async with open_history() as history:
            return await Learner().of(history, project)

    try:
        return asyncio.run(read())
    except StoreError:
        return None
