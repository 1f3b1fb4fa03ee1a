"""What went wrong in the database, in words; and whether the same write may succeed later."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from llamafarm.history.database.connecting.place import Place

FULL = "the disk is full"
CLOSED_FOLDER = "its folder may not be written"
# SQLite's result codes (sqlite.org/rescode.html) that speak of the file, the disk or another process.
SQLITE_FAULTS = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: "another process holds the file",
    sqlite3.SQLITE_LOCKED: "another process holds the file",
    sqlite3.SQLITE_PROTOCOL: "another process holds the file",
    sqlite3.SQLITE_READONLY: "the file may not be written",
    sqlite3.SQLITE_PERM: "the file may not be written",
    sqlite3.SQLITE_AUTH: "the file may not be written",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
# PostgreSQL's classes of SQLSTATE (Appendix A of its manual) that speak of the server, not of the statement.
POSTGRESQL_FAULTS = {
    "08": "the connection was lost",
    "25": "the database is read-only",
    "28": "the database refuses this user",
    "3D": "there is no such database",
    "40": "another process was in the way",
    "42501": "the database refuses this user",
    "53100": FULL,
    "53": "the server is out of resources",
    "55": "the database takes no connections",
    "57": "the server is shutting down or took too long",
    "58": "the server's system failed",
}


# Codes at which the file may still be read: reading makes nothing, writing does.
STILL_READ = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)


def fault_of(error: Exception, place: Place, doing: str = "written") -> str | None:
    """In a sentence, why the database can't be used now; None where the record itself is at fault.

    No part of a record and no password is in it.
    """
    if isinstance(error, OSError):
        return f"The history at {place.name} can't be opened: {(error.strerror or 'the system refuses it').lower()}."
    if (code := _sqlite_code(error)) is not None:
        reason = (
            CLOSED_FOLDER if code == sqlite3.SQLITE_CANTOPEN and _folder_is_closed(place) else SQLITE_FAULTS.get(code)
        )
    elif isinstance(error, DBAPIError):
        reason = _postgresql(error)
    else:
        reason = None
    return reason and f"The history at {place.name} can't be {doing}: {reason}."


def _folder_is_closed(place: Place) -> bool:
    """Whether the file is there, and it is only that SQLite can't make what it needs beside it."""
    return place.file is not None and place.file.exists() and not may_write(place.file.parent)


def may_write(path: Path) -> bool:
    """Whether this process has the right to write there."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def read_only(place: Place) -> str:
    """The sentence for a file that is there to be read."""
    return f"The history at {place.name} can't be written: {SQLITE_FAULTS[sqlite3.SQLITE_READONLY]}."


def leaves_reading(error: Exception) -> bool:
    """Whether a SQLite file that can't be opened to be written for this reason may still be read."""
    return isinstance(error, OSError) or _sqlite_code(error) in STILL_READ


def _sqlite_code(error: Exception) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF if isinstance(cause, sqlite3.Error) else None


def _postgresql(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        lost = error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
        return "the server can't be reached" if lost else None
    return POSTGRESQL_FAULTS.get(state) or POSTGRESQL_FAULTS.get(state[:2])
