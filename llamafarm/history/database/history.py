"""The store as people see it: what was recorded is found, opened, judged and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from llamafarm.core.errors import RequestError, StoreError
from llamafarm.history.database import probes, reads, suggestions, writes
from llamafarm.history.database.connecting.connect import Database
from llamafarm.history.database.connecting.faults import fault_of
from llamafarm.history.database.store import Store
from llamafarm.history.database.suggestions import Mark
from llamafarm.history.database.tables.scrub import checkpoint, merge_some
from llamafarm.history.ids import as_beginning
from llamafarm.history.machine import Machine
from llamafarm.history.model import Ended, Kind, Piece, ProjectRef, Recorded, Run, Snapshot, Vote
from llamafarm.history.probe import Probe
from llamafarm.history.query import Filter, Found
from llamafarm.history.suggested import Suggested
from llamafarm.history.win_rates import Standing, standings

Given = ParamSpec("Given")
Result = TypeVar("Result")

PAGE = 50
STRETCH = 50  # whole comparisons in memory at once
PIECES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class History:
    """What the store holds, with all in it that it was given before the question.

    Every method raises StoreError where the database can't be used. Lists are newest first.
    """

    store: Store

    # --- comparisons

    async def find(self, wanted: Filter = Filter(), *, older_than: str | None = None, limit: int = PAGE) -> Found:
        """A page of what `wanted` finds; the next one is what is `older_than` the place that this one names."""
        return await self._read(reads.find, wanted, older_than=older_than, limit=limit)

    async def count(self, wanted: Filter = Filter()) -> int:
        """How many comparisons `wanted` finds."""
        return await self._read(reads.count, wanted)

    async def standings(self, wanted: Filter = Filter()) -> list[Standing]:
        """How often each model won, in the votes on what `wanted` finds."""
        return standings(await self._read(reads.contests, wanted))

    async def open(self, identity: str) -> Recorded:
        """The comparison with this id, or with the only one that begins so. Raises RequestError where there is none."""
        (recorded,) = await self.whole([await self.identify(identity)])
        return recorded

    async def identify(self, beginning: str) -> str:
        """The whole id of the only comparison that begins so; raises RequestError where there is none, or several."""
        sure = as_beginning(beginning)
        found = await self._read(reads.ids_beginning, sure) if sure else []
        if not found:
            raise RequestError(
                f"There is no comparison {beginning!r} in the history.",
                hint="lf history list has the ids, and lf history runs those of sweeps and batches.",
            )
        if len(found) > 1:
            raise RequestError(f"Several comparisons begin with {beginning!r}.", hint="Write more of the id.")
        return found[0]

    async def whole(self, ids: Sequence[str]) -> list[Recorded]:
        """The comparisons with these ids, in their order; what is not there is left out."""
        return await self._read(reads.whole, ids)

    async def stream(self, wanted: Filter = Filter(), *, oldest_first: bool = False) -> AsyncGenerator[Recorded, None]:
        """All that `wanted` finds, whole; however much it is, memory holds a few."""
        place: str | None = None
        while some := await self._read(reads.stretch, wanted, after=place, limit=STRETCH, oldest_first=oldest_first):
            for each in some:
                yield each
            place = some[-1].asked.id

    async def newest_lanes(self, model: str, model_id: str, *, limit: int) -> list[Ended]:
        """The newest whole answers of the named model, as long as it was this one behind the name."""
        return await self._read(reads.newest_lanes, model, model_id, limit=limit)

    async def snapshot(self, digest: str) -> Snapshot | None:
        """The project file with this digest, secrets hidden."""
        return await self._read(reads.snapshot, digest)

    async def vote(self, comparison: str, vote: Vote | None) -> None:
        """Judge a comparison anew; None takes the vote back. Raises RequestError where it or its lane is not there."""
        recorded = await self.open(comparison)
        if vote is not None and (vote.lane is None) == (vote.choice == "best"):
            raise RequestError("A vote for the best names its lane, and no other vote does.")
        if vote is not None and vote.lane is not None and vote.lane not in recorded.replies:
            raise RequestError(f"The comparison has no answer of a lane {vote.lane!r}.")
        await self._change(writes.set_vote, recorded.asked.id, vote)

    async def delete(self, ids: Sequence[str]) -> int:
        """Delete comparisons and all that belongs to them, and give how many there were.

        On SQLite nothing of them is left in the file. PostgreSQL keeps what is deleted until it vacuums its tables.
        """
        gone = await self._change(writes.delete_comparisons, ids)
        await self._scrub()
        return gone

    # --- runs

    async def runs(
        self,
        *,
        older_than: str | None = None,
        limit: int = PAGE,
        kind: Kind | None = None,
        project: ProjectRef | None = None,
    ) -> list[Run]:
        """Sweeps and batches; those of one kind, or of the project with this name whatever its file was."""
        return await self._read(reads.newest_runs, older_than=older_than, limit=limit, kind=kind, project=project)

    async def run(self, identity: str) -> Run:
        """The run with this id. Raises RequestError where there is none."""
        run = await self._read(reads.run, identity)
        if run is None:
            raise RequestError(f"There is no run {identity!r} in the history.")
        return run

    async def run_beginning(self, beginning: str) -> Run | None:
        """The only run whose id begins so; None where there is none. Raises RequestError where there are several."""
        sure = as_beginning(beginning)
        found = await self._read(reads.runs_beginning, sure) if sure else []
        if len(found) > 1:
            raise RequestError(f"Several runs begin with {beginning!r}.", hint="Write more of the id.")
        return found[0] if found else None

    async def machines(self, *, run: str | None = None, comparison: str | None = None) -> list[Machine]:
        """The machines on which a run, or a comparison, was recorded; what is older than this knowledge has none."""
        return await self._read(reads.machines_of, run=run, comparison=comparison)

    async def pieces(self, run: str) -> AsyncGenerator[Piece, None]:
        """Each comparison of a run that has begun, in the order in which they did: what need not be asked again."""
        place = ""
        while some := await self._read(reads.pieces, run, after=place, limit=PIECES_AT_ONCE):
            for each in some:
                yield each
            place = some[-1].comparison

    async def delete_run(self, identity: str) -> None:
        """Delete a run and all its comparisons. Raises RequestError where there is none."""
        if not await self._change(writes.delete_run, identity):
            raise RequestError(f"There is no run {identity!r} in the history.")
        await self._scrub()

    # --- probes

    async def keep_probe(self, probe: Probe) -> None:
        """Keep what a model's server was found to do; a day's newest probe stands for the day."""
        await self._change(probes.keep_probe, probe)

    async def newest_probes(self) -> list[Probe]:
        """The newest probe of each model at each server."""
        return await self._read(probes.newest_probes)

    # --- routing

    async def suggestions(self, project: ProjectRef) -> list[tuple[str, Suggested]]:
        """What strategies suggested for comparisons of the project with this name, with the comparisons' ids."""
        return await self._read(suggestions.suggestions_of, project.namespace, project.name)

    async def taught(self) -> Mark:
        """What changes whenever a vote, or an answer that has checks, comes or goes."""
        return await self._read(suggestions.taught)

    # --- inside

    async def _read(
        self,
        read: Callable[Concatenate[Connection, Given], Result],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Result:
        def reading(database: Database) -> Result:
            with database.reader.connect() as connection:
                return read(connection, *args, **kwargs)

        database = await self.store.writer.database()
        with self._told("read"):
            return await asyncio.to_thread(reading, database)

    async def _change(
        self,
        change: Callable[Concatenate[Connection, Given], Result],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Result:
        def changing(database: Database) -> Result:
            with database.writer.begin() as connection:
                return change(connection, *args, **kwargs)

        with self._told():
            return await self.store.writer.do(changing)

    async def _scrub(self) -> None:
        """Overwrite what was deleted, a little at a time, so that records come in between."""
        with self._told():
            begun = False
            while await self.store.writer.do(partial(merge_some, begun=begun)):
                begun = True
            await self.store.writer.do(checkpoint)

    @contextmanager
    def _told(self, doing: str = "written") -> Iterator[None]:
        """The database's own errors as StoreError."""
        place = self.store.place
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(fault_of(error, place, doing) or f"The history at {place.name} can't be used.") from error
