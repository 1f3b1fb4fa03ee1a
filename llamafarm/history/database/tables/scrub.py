"""What was deleted leaves SQLite's file: its search index and its write-ahead log would keep it for a while.

Rows are overwritten as they are deleted (see `connect`). PostgreSQL needs nothing of this: its server vacuums.
"""

from __future__ import annotations

from llamafarm.history.database.connecting.connect import Database

PAGES = 256  # of the index in one go
WORKED = 2  # changes; the statement itself counts as one


def merge_some(database: Database, *, begun: bool) -> bool:
    """Merge a part of the search index into one whole; tells whether more is left. `begun`: this is not the first part.

    Words that were deleted stand in the index until the parts that hold them are merged. The statements are those
    that sqlite.org/fts5.html gives for merging all parts step by step: a negative number of pages begins it.
    """
    if database.writer.dialect.name != "sqlite":
        return False
    pages = PAGES if begun else -PAGES
    with database.writer.begin() as connection:
        before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
        connection.exec_driver_sql("INSERT INTO documents_index (documents_index, rank) VALUES ('merge', ?)", (pages,))
        after = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return bool(after - before >= WORKED)


def checkpoint(database: Database) -> None:
    """Bring the write-ahead log into the file, and empty it; another process that reads may keep it for a while."""
    if database.writer.dialect.name != "sqlite":
        return
    connection = database.writer.raw_connection()  # outside a transaction, which SQLAlchemy would begin
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
