"""The store as the engine sees it: it takes records at once, and writes them on its own time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from llamafarm.core.types import JsonValue, Message
from llamafarm.history.database.claims import Claims
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.writer import Writer
from llamafarm.history.model import Began, Ended, Record

if TYPE_CHECKING:
    from llamafarm.history.database.connecting.connect import Database

OVERHEAD = 2048  # letters that any record takes in memory, beside its texts


@dataclass(frozen=True, slots=True)
class Store:
    """Takes what happens. Nothing here waits for the database or fails because of it.

    `writer` is the seam to `history`, which reads what was taken; `claims` are the runs that this process asks.
    """

    writer: Writer
    claims: Claims

    @property
    def place(self) -> Place:
        """Where the records go."""
        return self.writer.place

    @property
    def trouble(self) -> str | None:
        """Why records are not stored now, or that some were lost: a sentence to show. None while all is well."""
        return self.writer.trouble

    @property
    def answers(self) -> tuple[int, int]:
        """How many of the lanes that ended are stored by now, and how many never will be."""
        return self.writer.stored_answers, self.writer.lost_answers

    @property
    def deleted(self) -> bool:
        """Whether the file was deleted or replaced while it was open, with all that was in it."""
        return self.writer.deleted is not None

    def take(self, record: Record) -> None:
        """Store `record` as soon as may be, after all that were taken before."""
        self.writer.put(record, _size(record))

    async def rehearse(self, records: Sequence[Record]) -> None:
        """Open the database and write `records` as if they were to be kept, then take them back.

        What a first record costs is paid then. Raises StoreError where the database can't be used.
        """
        await self.writer.do(partial(_rehearsed, records))

    async def recorded(self) -> str | None:
        """Wait until all that was taken is stored for good: then None. Else why it is not, as soon as a try failed.

        After that, killing the process loses nothing of it.
        """
        return await self.writer.settled()

    async def claim(self, run: str) -> None:
        """Take `run` for this process, until `release`. Raises RequestError where somebody else is at it."""
        await self.claims.claim(run)

    async def release(self, run: str) -> None:
        """Let others have `run`."""
        await self.claims.release(run)


@asynccontextmanager
async def open_store(place: Place) -> AsyncIterator[Store]:
    """A store at `place`. At the end, what was taken is written before the database is closed.

    A database that can't be opened is no error here: `trouble` says so, and it is tried again.
    """
    writer = Writer(place)
    store = Store(writer, Claims(writer))
    store.writer.start()
    try:
        yield store
    finally:
        await store.claims.close()
        await store.writer.close()


def _rehearsed(records: Sequence[Record], database: Database) -> None:
    from llamafarm.history.database.attempt import rehearse  # noqa: PLC0415 - the writer's thread imports SQLAlchemy

    rehearse(database, records)


def _size(record: Record) -> int:
    """About how much memory a record takes, in letters."""
    match record:
        case Began(asked=asked, snapshot=snapshot):
            messages = [*asked.messages, *(message for spec in asked.lanes for message in spec.history)]
            return OVERHEAD + sum(map(_heard, messages)) + (len(snapshot.text) if snapshot else 0)
        case Ended(reply=reply):
            return OVERHEAD + len(reply.text) + len(reply.reasoning) + _letters(reply.sent.body if reply.sent else None)
        case _:
            return OVERHEAD


def _heard(message: Message) -> int:
    return len(message.content) + sum(len(image.data) for image in message.images)


def _letters(value: JsonValue | Mapping[str, JsonValue]) -> int:
    match value:
        case str():
            return len(value)
        case list():
            return sum(_letters(each) for each in value)
        case Mapping():
            return sum(_letters(each) for each in value.values())
        case _:
            return 0
