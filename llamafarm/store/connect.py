"""Connections to the database: one that writes, and some that read. Everything here blocks: it runs in threads."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from llamafarm.errors import RequestError
from llamafarm.store.migrate import migrate
from llamafarm.store.place import URL, Place

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
    """An open database, its tables up to date. `writer` is for one thread at a time."""

    writer: Engine
    reader: Engine

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self.reader.dispose()


def open_database(place: Place) -> Database:
    """Connect, and bring the tables up to date.

    Raises StoreError where a newer program made them, RequestError where the address can't be understood, and
    SQLAlchemy's errors or OSError where the database can't be reached: then it is worth another try.
    """
    if place.file is None:
        database = _postgresql(place)
    else:
        place.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # prompts are nobody else's business
        database = Database(_sqlite(place.file, write=True), _sqlite(place.file, write=False))
    try:
        migrate(database.writer)
    except BaseException:
        database.close()
        raise
    return database


def _postgresql(place: Place) -> Database:
    try:
        url = make_url(place.url.get_secret_value())
    except ArgumentError:
        raise RequestError(f"{URL} is no address of a database.", hint="Look at its host and port.") from None
    engine = create_engine(
        url, pool_size=READERS + 1, pool_pre_ping=True, hide_parameters=True, connect_args=POSTGRESQL_CONNECTION
    )
    return Database(engine, engine)


def _sqlite(file: Path, *, write: bool) -> Engine:
    """An engine whose transactions begin when SQLAlchemy says so: the driver's own way would leave DDL outside.

    A writer takes its place in the queue of writers at once: a transaction that read first could not wait for one.
    """
    engine = create_engine(
        f"sqlite:///{file}",
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
