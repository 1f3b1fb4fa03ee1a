"""The one way to read the history, for rooms that must not know its database."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from llamafarm.history.machine import Machine
from llamafarm.history.model import Ended, Piece, Recorded, Run, Snapshot
from llamafarm.history.query import Filter, Found


class HistoryReader(Protocol):
    """What was recorded; `llamafarm.history.database.history.History` says of each what it gives and raises."""

    async def find(self, wanted: Filter = ..., *, limit: int = ...) -> Found:
        """The newest comparisons."""
        ...

    async def open(self, identity: str) -> Recorded:
        """The comparison whose id begins so."""
        ...

    async def whole(self, ids: Sequence[str]) -> list[Recorded]:
        """The comparisons with these ids."""
        ...

    def stream(self, wanted: Filter = ..., *, oldest_first: bool = ...) -> AsyncGenerator[Recorded, None]:
        """All that `wanted` finds, a few at a time."""
        ...

    async def newest_lanes(self, model: str, model_id: str, *, limit: int) -> list[Ended]:
        """The newest answers of a named model."""
        ...

    async def snapshot(self, digest: str) -> Snapshot | None:
        """The project file with this digest."""
        ...

    async def runs(self, *, limit: int = ...) -> list[Run]:
        """The newest runs."""
        ...

    async def run_beginning(self, beginning: str) -> Run | None:
        """The run whose id begins so."""
        ...

    def pieces(self, run: str) -> AsyncGenerator[Piece, None]:
        """Each comparison of a run that has begun."""
        ...

    async def machines(self, *, run: str | None = ..., comparison: str | None = ...) -> list[Machine]:
        """Where it was recorded."""
        ...
