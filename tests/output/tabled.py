"""What the writers of tables give, all at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TypeVar

from llamafarm.core.reply import Reply
from llamafarm.history.model import Recorded
from llamafarm.output import sheet
from llamafarm.output.columns import Layout
from llamafarm.output.frame import CsvTable

Item = TypeVar("Item")


async def each(*items: Item) -> AsyncGenerator[Item, None]:
    for item in items:
        yield item


def written_as_csv(layout: Layout[Item], *items: Item, excel: bool = False) -> bytes:
    table = CsvTable(layout.columns, layout.truths, excel=excel)
    rows = [row for item in items for row in layout.rows(item)]
    return table.begin() + table.add(rows) + table.end()


def written_csv(*found: Recorded) -> bytes:
    return written_as_csv(sheet.LAYOUT, *found)


def csv_of(replies: list[Reply]) -> str:
    return written_as_csv(sheet.REPLIES, *replies).decode()
