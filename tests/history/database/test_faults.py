"""Which errors speak of the database, so that a record waits, and which of the record, so that it is given up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from llamafarm.history.database.connecting.faults import fault_of
from llamafarm.history.database.connecting.place import file_place

PLACE = file_place(Path("/data/history.sqlite3"))


def of_sqlite(code: int) -> DBAPIError:
    error = sqlite3.OperationalError("secret prompt")
    error.sqlite_errorcode = code
    return DBAPIError("INSERT", None, error)


def of_postgresql(error: type[psycopg.Error]) -> DBAPIError:
    return DBAPIError("INSERT", None, error("secret prompt"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (of_sqlite(sqlite3.SQLITE_FULL), "the disk is full"),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), "another process holds the file"),
        (of_sqlite(sqlite3.SQLITE_IOERR_WRITE), "the disk failed"),
        (of_sqlite(sqlite3.SQLITE_READONLY_DIRECTORY), "the file may not be written"),
        (of_postgresql(psycopg.errors.DiskFull), "the disk is full"),
        (of_postgresql(psycopg.errors.AdminShutdown), "the server is shutting down or took too long"),
        (of_postgresql(psycopg.errors.ReadOnlySqlTransaction), "the database is read-only"),
        (of_postgresql(psycopg.errors.InsufficientPrivilege), "the database refuses this user"),
        (of_postgresql(psycopg.errors.DeadlockDetected), "another process was in the way"),
        (of_postgresql(psycopg.OperationalError), "the server can't be reached"),
    ],
)
def test_the_database_s_trouble_is_told_without_the_record(error: Exception, reason: str) -> None:
    assert fault_of(error, PLACE) == f"The history at /data/history.sqlite3 can't be written: {reason}."


@pytest.mark.parametrize(
    "error",
    [
        of_sqlite(sqlite3.SQLITE_CONSTRAINT_UNIQUE),
        of_sqlite(sqlite3.SQLITE_TOOBIG),
        of_postgresql(psycopg.errors.ProgramLimitExceeded),
        of_postgresql(psycopg.errors.UniqueViolation),
        TypeError("a set is no JSON"),
    ],
)
def test_a_record_s_own_fault_is_no_trouble_of_the_database(error: Exception) -> None:
    assert fault_of(error, PLACE) is None
