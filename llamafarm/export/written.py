"""Comparisons as the bytes of a file, one at a time, so that memory stays flat however many there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Literal

from llamafarm.export import lines, markdown, sheet
from llamafarm.records.model import Recorded
from llamafarm.sheets import MARK

Form = Literal["csv", "jsonl", "markdown"]

WRITERS: Mapping[Form, Callable[[Recorded], str]] = {
    "csv": sheet.rows,
    "jsonl": lines.line,
    "markdown": markdown.document,
}


async def written(
    found: AsyncGenerator[Recorded, None], form: Form, *, excel: bool = False
) -> AsyncGenerator[bytes, None]:
    """`found` in UTF-8: a row a lane with a header (csv), an object a line (jsonl), or a document. Closes `found`.

    `excel`: a CSV begins with a byte order mark, by which Excel knows UTF-8.
    """
    async with aclosing(found):
        if form == "csv":
            yield f"{MARK if excel else ''}{sheet.header()}".encode()
        async for recorded in found:
            yield WRITERS[form](recorded).encode("utf-8", "replace")
