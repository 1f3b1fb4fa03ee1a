"""The answers of a batch as rows: CSV or JSON Lines, one for each row of the file and each model."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Literal

from llamafarm.export.sheet import lane_row
from llamafarm.records.model import Ended, Recorded
from llamafarm.reply import Reply
from llamafarm.sheets import MARK, inert

Form = Literal["csv", "jsonl"]


def row_object(
    number: int, recorded: Recorded, ended: Ended, *, passed: bool | None, notes: Sequence[str]
) -> dict[str, object]:
    """An answer with its row's number and id; `passed` is what its checks say, and `notes` are those it did not pass.

    Spans are in seconds, costs in US dollars; None is unknown, or nothing that there is to tell.
    """
    asked = recorded.asked
    name = (asked.item or "").partition(" ")[2]
    return {
        "row": number,
        "id": name or None,
        **{key: value for key, value in lane_row(ended.reply).items() if key != "lane"},
        "passed": passed,
        "checks": "\n".join(asked.checks) or None,
        "not_passed": "\n".join(notes) or None,
        "prompt": asked.prompt,
        "text": ended.reply.text,
        "ended_at": ended.ended_at.isoformat(),
        "priced_on": ended.priced_on.isoformat(),
        "comparison": asked.id,
    }


COLUMNS = (
    "row", "id", *(name for name in lane_row(Reply("", "", "", "", "", "idle")) if name != "lane"),
    "passed", "checks", "not_passed", "prompt", "text", "ended_at", "priced_on", "comparison",
)  # fmt: skip


def form_of(name: str) -> Form | None:
    """The form that a file's name asks for; None where it asks for none."""
    ending = name.lower().rpartition(".")[2]
    forms: dict[str, Form] = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}
    return forms.get(ending)


def header(form: Form, *, excel: bool = False) -> bytes:
    """What the file begins with; for Excel with a byte order mark, by which it knows UTF-8."""
    return (MARK.encode() if excel else b"") + _csv(COLUMNS) if form == "csv" else b""


def line(form: Form, row: dict[str, object]) -> bytes:
    """A row as it is written."""
    if form == "csv":
        return _csv(inert(_cell(row[name])) for name in COLUMNS)
    return json.dumps(row, default=str).encode() + b"\n"


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _csv(cells: Iterable[object]) -> bytes:
    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode("utf-8", "replace")
