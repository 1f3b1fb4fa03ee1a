"""Locks runs: one process at a time asks a run, and its lock ends with it.

With SQLite that is a file beside the database that the system locks, with PostgreSQL an advisory lock of a session.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from llamafarm.core.errors import RequestError, StoreError
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.writer import Writer

if TYPE_CHECKING:
    from filelock import FileLock

    from llamafarm.history.database.connecting.connect import Database

TRIES = 10  # a file that was removed by who had it, just as it was opened here, is made anew

Release = Callable[[], None]


@dataclass(slots=True)
class Claims:
    """The runs that this process has taken."""

    writer: Writer
    _held: dict[str, Release] = field(default_factory=dict)

    async def claim(self, run: str) -> None:
        """Take the run, until `release` or `close`. Raises RequestError where somebody else is at it.

        Where the database can't be used there is nothing to be guarded: whoever asks hears of that elsewhere.
        """
        with suppress(StoreError):
            release = await self.writer.do(partial(_taken, place=self.writer.place, run=run))
            if release is None:
                raise RequestError(
                    f"The run {run} is under way elsewhere: in another process, or in another tab of the page.",
                    hint="Wait for its end, or stop it; what it has asked is kept.",
                )
            self._held[run] = release

    async def release(self, run: str) -> None:
        """Let others have the run."""
        if (release := self._held.pop(run, None)) is not None:
            await self.writer.in_thread(release)

    async def close(self) -> None:
        """Let go of all."""
        for run in list(self._held):
            await self.release(run)


def _taken(database: Database, place: Place, run: str) -> Release | None:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - in the thread: see `writer`

    try:
        return claim(database, place, run)
    except (OSError, SQLAlchemyError) as error:
        raise StoreError("The run can't be claimed.") from error


def claim(database: Database, place: Place, run: str) -> Release | None:
    """Take `run`; what is given back lets go of it. None where somebody else has it.

    Raises OSError or SQLAlchemy's errors where that can't be told. Blocks, as all below.
    """
    return _session(database, run) if place.file is None else _file(place.file, run)


def _file(database: Path, run: str) -> Release | None:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - in the thread: see `writer`

    path = database.with_name(f"{database.name}.{run}.lock")
    for _ in range(TRIES):
        lock = FileLock(path, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            return None
        if path.exists():
            return lambda: _let_go(lock, path)
        lock.release()
    return None


def _let_go(lock: FileLock, path: Path) -> None:
    with suppress(OSError):  # Windows removes no file that is open: an empty one stays
        path.unlink()
    lock.release()


def _session(database: Database, run: str) -> Release | None:
    """The server lets go of it where the connection ends, however it does."""
    key = int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), signed=True)
    connection = database.reader.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        taken = connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (key,)).scalar_one()
        connection.detach()  # from the pool: nobody else shall have it, and closing it ends the session
    except BaseException:
        connection.close()
        raise
    if taken:
        return connection.close
    connection.close()
    return None
