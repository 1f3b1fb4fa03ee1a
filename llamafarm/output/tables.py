"""Tables as the bytes of a file, in chunks: memory stays flat, and the event loop free, however many rows there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol

from llamafarm.core.errors import RequestError
from llamafarm.output.columns import Item, Layout, Row

TableForm = Literal["csv", "parquet"]


class Table(Protocol):
    """A file that is written from its beginning to its end. All three block."""

    def begin(self) -> bytes:
        """What stands before the first row."""
        ...

    def add(self, rows: list[Row]) -> bytes:
        """The next rows."""
        ...

    def end(self) -> bytes:
        """What stands after the last one."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is written at a time: a chunk ends with the item that reaches one of them."""

    items: int
    letters: int


# A chunk of Parquet is a row group, which readers want large: its statistics are of one chunk.
BOUNDS: dict[TableForm, Bounds] = {"csv": Bounds(2_000, 2**18), "parquet": Bounds(20_000, 2**22)}


def writable(form: str) -> bool:
    """Whether files of this form can be written here: Parquet needs a package that not everybody has."""
    return form != "parquet" or find_spec("pyarrow") is not None


def check_form(form: str) -> None:
    """Raise RequestError where a file of this form can't be written here, before anything is asked for it."""
    if not writable(form):
        raise RequestError(
            "Parquet is written with pyarrow, which is not installed.",
            hint='pip install "llamafarm-playground[parquet]" brings it.',
        )


async def table(
    items: AsyncGenerator[Item, None], layout: Layout[Item], form: TableForm, *, excel: bool = False
) -> AsyncGenerator[bytes, None]:
    """A row of the table for each that the items give. Closes `items`.

    `excel`: a CSV begins with a byte order mark, by which Excel knows UTF-8.
    """
    async with aclosing(items):
        file = await asyncio.to_thread(_begun, layout, form, excel=excel)
        yield await asyncio.to_thread(file.begin)
        async with aclosing(_chunks(items, layout.letters, BOUNDS[form])) as chunks:
            async for chunk in chunks:
                yield await asyncio.to_thread(_added, file, layout, chunk)
        yield await asyncio.to_thread(file.end)


async def whole(items: Iterable[Item], layout: Layout[Item], form: TableForm) -> bytes:
    """A small table at once."""

    async def each() -> AsyncGenerator[Item, None]:
        for item in items:
            yield item

    return b"".join([piece async for piece in table(each(), layout, form)])


async def _chunks(
    items: AsyncGenerator[Item, None], letters_of: Callable[[Item], int], bounds: Bounds
) -> AsyncGenerator[list[Item], None]:
    chunk, letters = list[Item](), 0
    async for item in items:
        chunk.append(item)
        letters += letters_of(item)
        if len(chunk) >= bounds.items or letters >= bounds.letters:
            yield chunk
            chunk, letters = [], 0
    if chunk:
        yield chunk


def _added(file: Table, layout: Layout[Item], chunk: list[Item]) -> bytes:
    return file.add([row for item in chunk for row in layout.rows(item)])


def _begun(layout: Layout[Item], form: TableForm, *, excel: bool) -> Table:
    if form == "parquet":
        from llamafarm.output.parquet import ParquetTable  # noqa: PLC0415 - pyarrow may not be there

        return ParquetTable(layout.columns)
    from llamafarm.output.frame import CsvTable  # noqa: PLC0415 - pandas takes a quarter of a second

    return CsvTable(layout.columns, layout.truths, excel=excel)
