"""Makes CSV cells inert for spreadsheets (no formula runs), and takes that back when a file is read."""

from __future__ import annotations

from collections.abc import Collection

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "\ufeff"  # Excel takes a file that begins with it for UTF-8
OURS = frozenset({"answered_by", "cost_source", "priced_on", "comparison"})  # columns of every table that we write


def inert(value: object) -> object:
    """`value` for a cell: a text that a spreadsheet would take for a formula gets an apostrophe in front.

    As OWASP's "CSV Injection" advises. A text that looks as if it had got one gets another, so that `plain` can tell.
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").startswith(FORMULA) else value


def plain(cell: str) -> str:
    """The text that `inert` made `cell` of."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def is_ours(columns: Collection[str]) -> bool:
    """Whether a table with these columns is one that we wrote."""
    return set(columns) >= OURS
