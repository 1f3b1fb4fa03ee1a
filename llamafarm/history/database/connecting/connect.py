"""Connections to the database: one that writes, and some that read. Everything here blocks: it runs in threads."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from llamafarm.core.errors import RequestError
from llamafarm.history.database.connecting.faults import fault_of, leaves_reading, may_write, read_only
from llamafarm.history.database.connecting.place import URL as VARIABLE
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.connecting.private import keep_private
from llamafarm.history.database.tables.migrate import check_tables, migrate

READERS = 4
BUSY_S = 10.0  # how long one process waits for another that writes to the same file
PATIENCE_S = 10  # until a PostgreSQL that does not answer counts as away
# A server that fell silent is noticed: without these bounds libpq waits for hours.
POSTGRESQL_CONNECTION = {
    "connect_timeout": PATIENCE_S,
    "keepalives_idle": PATIENCE_S,
    "tcp_user_timeout": PATIENCE_S * 1000,
    "application_name": "llamafarm-playground",
    "options": "-c statement_timeout=300000 -c timezone=UTC",
}


@dataclass(frozen=True, slots=True)
class Database:
    """An open database, its tables up to date. `writer` is for one thread at a time.

    `fault` is why it can only be read, in a sentence for people. `identity` tells a SQLite file from another one that
    took its name.
    """

    writer: Engine
    reader: Engine
    fault: str | None = None
    identity: tuple[int, int] | None = None

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def open_database(place: Place) -> Database:
    """Connect, and bring the tables up to date. A SQLite file that can't be written is opened to be read.

    Raises StoreError where another version of the program made them, RequestError where the address can't be
    understood, and SQLAlchemy's errors or OSError where the database can't be reached: then it is worth another try.
    """
    if place.file is None:
        return _migrated(_postgresql(place))
    opened = None
    if place.file.exists() and not may_write(place.file):  # SQLite would make its files beside it all the same
        opened = _to_read(place.file, read_only(place))
    if opened is None:
        opened = _to_write(place.file, place)
    return Database(opened.writer, opened.reader, opened.fault, identity_of(place.file))


def _to_write(file: Path, place: Place) -> Database:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts are nobody else's business
        keep_private(file)
        return _migrated(Database(_sqlite(file, write=True), _sqlite(file, write=False)))
    except Exception as error:
        found = _to_read(file, fault_of(error, place)) if leaves_reading(error) else None
        if found is None:
            raise
        return found


def identity_of(file: Path) -> tuple[int, int] | None:
    """What tells the file from others, as long as it is open; None where it is not there."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _migrated(database: Database) -> Database:
    try:
        migrate(database.writer)
    except BaseException:
        database.close()
        raise
    return database


def _to_read(file: Path, fault: str | None) -> Database | None:
    """The file as it is, without a write of any kind; None where that can't be done either.

    Its write-ahead log is read through an index that SQLite would make beside the file. Where there is no log nobody
    else has the file open, and it is read as one that does not change.
    """
    log = file.with_name(f"{file.name}-wal")
    with suppress(Exception):
        still = {} if log.exists() and log.stat().st_size else {"immutable": "1"}
        url = URL.create("sqlite", database=file.absolute().as_uri(), query={"uri": "true", "mode": "ro", **still})
        engine = _engine(url, write=False)
        try:
            check_tables(engine)
        except BaseException:
            engine.dispose()
            raise
        return Database(engine, engine, fault)
    return None


def _postgresql(place: Place) -> Database:
    try:
        url = make_url(place.url.get_secret_value())
    except ArgumentError:
        raise RequestError(f"{VARIABLE} is no address of a database.", hint="Look at its host and port.") from None
    engine = create_engine(
        url, pool_size=READERS + 1, pool_pre_ping=True, hide_parameters=True, connect_args=POSTGRESQL_CONNECTION
    )
    return Database(engine, engine)


def _sqlite(file: Path, *, write: bool) -> Engine:
    """An engine for the file: its path is a path, whatever stands in it."""
    return _engine(URL.create("sqlite", database=str(file.absolute())), write=write)


def _engine(url: URL, *, write: bool) -> Engine:
    """An engine whose transactions begin when SQLAlchemy says so: the driver's own way would leave DDL outside.

    A writer takes its place in the queue of writers at once: a transaction that read first could not wait for one.
    """
    engine = create_engine(
        url,
        pool_size=1 if write else READERS,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": BUSY_S},
    )
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        _set_up(connection, write=write)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _set_up(connection: sqlite3.Connection, *, write: bool) -> None:
    if not write:
        connection.execute("PRAGMA query_only = ON")
        return
    _to_wal(connection)
    # With the write-ahead log a commit is in the system's hands: killing the process loses nothing that was
    # committed. FULL also waits for the disk, so that a power cut loses nothing either.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only forgotten


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to its write-ahead log; two processes that do so at once find it locked without waiting."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
