"""The answers of a batch as rows: CSV, Parquet or JSON Lines, one for each row of the file and each model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import date
from typing import Literal, Protocol

from llamafarm.core import strict_json
from llamafarm.experiments.stats.sample import Sample
from llamafarm.history.model import Ended, Recorded
from llamafarm.output.columns import ANSWER, Columns, Item, Layout, Row
from llamafarm.output.sheet import lane_row
from llamafarm.output.tables import table

Form = Literal["csv", "jsonl", "parquet"]

COLUMNS: Columns = {
    "row": "integer",
    "id": "text",
    **ANSWER,
    "passed": "truth",
    "checks": "text",
    "not_passed": "text",
    "prompt": "text",
    "text": "text",
    "ended_at": "instant",
    "priced_on": "day",
    "comparison": "text",
}


class Answered(Protocol):
    """One lane of a batch that ended: the number of its row, the comparison that it is, and what its checks say."""

    @property
    def row(self) -> int: ...  # noqa: D102 - see above
    @property
    def recorded(self) -> Recorded: ...  # noqa: D102 - see above
    @property
    def ended(self) -> Ended: ...  # noqa: D102 - see above
    @property
    def sample(self) -> Sample: ...  # noqa: D102 - see above


def form_of(name: str) -> Form | None:
    """The form that a file's name asks for; None where it asks for none."""
    ending = name.lower().rpartition(".")[2]
    forms: dict[str, Form] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
    return forms.get(ending)


def written(found: AsyncGenerator[Answered, None], form: Form, *, excel: bool = False) -> AsyncGenerator[bytes, None]:
    """The answers in UTF-8: a row each (csv, parquet), or an object a line (jsonl). Closes `found`.

    Spans are in seconds, costs in US dollars; None is unknown, or nothing that there is to tell.
    `excel`: a CSV begins with a byte order mark, by which Excel knows UTF-8.
    """
    return pieces(found, LAYOUT, form, excel=excel)


async def pieces(
    found: AsyncGenerator[Item, None], layout: Layout[Item], form: Form, *, excel: bool = False
) -> AsyncGenerator[bytes, None]:
    """What `found` gives by this layout, in one of a run's forms. Closes `found`."""
    if form != "jsonl":
        async with aclosing(table(found, layout, form, excel=excel)) as made:
            async for piece in made:
                yield piece
        return
    async with aclosing(found):
        async for item in found:
            for row in layout.rows(item):
                yield json_line(row)


def json_line(row: Row) -> bytes:
    """The row as a line of JSON."""
    return strict_json.dumps(row, ensure_ascii=True, default=_told).encode() + b"\n"


def _told(value: object) -> str:
    """Dollars so that no digit is lost, days and instants as ISO 8601."""
    return value.isoformat() if isinstance(value, date) else str(value)


def rows(answered: Answered) -> Iterator[Row]:
    """The answer as the one row that it is."""
    asked, ended = answered.recorded.asked, answered.ended
    name = (asked.item or "").partition(" ")[2]
    figures = lane_row(ended.reply)
    del figures["lane"]
    yield {
        "row": answered.row,
        "id": name or None,
        **figures,
        "passed": answered.sample.passed,
        "checks": "\n".join(asked.checks) or None,
        "not_passed": "\n".join(answered.sample.notes) or None,
        "prompt": asked.prompt,
        "text": ended.reply.text,
        "ended_at": ended.ended_at,
        "priced_on": ended.priced_on,
        "comparison": asked.id,
    }


def _letters(answered: Answered) -> int:
    reply = answered.ended.reply
    return len(answered.recorded.asked.prompt) + len(reply.text)


LAYOUT: Layout[Answered] = Layout(COLUMNS, rows, _letters, truths=("false", "true"))
