"""What went wrong in the database, in words; and whether the same write may succeed later."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from llamafarm.store.place import Place

FULL = "the disk is full"
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


def fault_of(error: Exception, place: Place) -> str | None:
    """In a sentence, why the database can't be written now; None where the record itself is at fault.

    No part of a record and no password is in it.
    """
    if isinstance(error, OSError):
        return f"The history at {place.name} can't be opened: {(error.strerror or 'the system refuses it').lower()}."
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        reason = SQLITE_FAULTS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    elif isinstance(error, DBAPIError):
        reason = _postgresql(error)
    else:
        reason = None
    return reason and f"The history at {place.name} can't be written: {reason}."


def _postgresql(error: DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        lost = error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
        return "the server can't be reached" if lost else None
    return POSTGRESQL_FAULTS.get(state) or POSTGRESQL_FAULTS.get(state[:2])
