"""A report as HTML: one file that asks no network and runs no script."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from llamafarm.core import strict_json
from llamafarm.core.types import JsonValue
from llamafarm.history.reader import HistoryReader
from llamafarm.output.report.collect import Collected, collect
from llamafarm.output.report.content import content
from llamafarm.output.report.subject import subject_of


async def report(past: HistoryReader, name: str) -> str:
    """The report of the run or the comparison whose id begins with `name`, as HTML; `latest` is the newest.

    Raises RequestError where there is none, or several.
    """
    whole = await collect(past, await subject_of(past, name))
    return await asyncio.to_thread(page, whole, datetime.now(UTC))


def page(whole: Collected, now: datetime) -> str:
    """What was collected, as HTML. Blocks: for a thread."""
    environment = Environment(
        loader=PackageLoader("llamafarm.output.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    return environment.get_template("report.html").render(content(whole, now))


def plain(value: JsonValue) -> str:
    """A setting's value as people write it."""
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else strict_json.dumps(value, default=dict)
