"""The history, opened for one command."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from llamafarm.history.database.history import History

Result = TypeVar("Result")


def using(work: Callable[[History], Coroutine[Any, Any, Result]]) -> Result:
    """The result of `work` with the history."""
    import asyncio

    from llamafarm.runtime import open_history

    async def run() -> Result:
        async with open_history() as kept:
            return await work(kept)

    return asyncio.run(run())
