"""One comparison, run in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

import typer

from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.config.model import Project
    from llamafarm.core.reply import Reply
    from llamafarm.core.types import Route
    from llamafarm.engine.lane import Lane, Question
    from llamafarm.engine.recording import Origin

FRAME_S = 0.1


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: routes that were suggested before, replies, the id in the history where it is kept, and why its
    record may be incomplete.

    `notes` are what was known of several lanes together before they were asked.
    """

    routes: Sequence[Route]
    replies: Sequence[Reply]
    record: str | None
    trouble: str | None
    notes: Sequence[str]


def compared(
    project: Project,
    lanes: Sequence[Lane],
    question: Question,
    origin: Origin,
    *,
    as_json: bool,
    record: bool = True,
    fair: bool = False,
) -> NoReturn:
    """Ask, tell what came of it, and exit with the code that says so."""
    import asyncio

    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.output.contracts import comparison_json

    stop = Stop()
    ran = asyncio.run(_run(project, lanes, question, origin, stop, live=not as_json, record=record, fair=fair))
    if as_json:
        whole = comparison_json(question.messages[-1].content, ran.routes, ran.replies, ran.notes)
        typer.echo(strict_json.dumps({"id": ran.record, **whole}, indent=2))
    elif ran.record and not ran.trouble:
        typer.echo(f"Kept in the history: lf history show {ran.record}")
    if ran.trouble:
        typer.echo(f"lf: {ran.trouble}", err=True)
    answered = any(reply.status == "done" for reply in ran.replies)
    raise typer.Exit(stop.code or (0 if answered and not ran.trouble else 1))


async def _run(
    project: Project,
    lanes: Sequence[Lane],
    question: Question,
    origin: Origin,
    stop: Stop,
    *,
    live: bool,
    record: bool,
    fair: bool,
) -> Ran:
    """Run the comparison until all lanes have ended, or `stop`; `live` shows it as it goes, `fair` one at a time.

    Drawing is done in a thread, so that a slow terminal changes none of the measurements.
    """
    import asyncio

    from llamafarm.cli.terminal.table import LiveTable
    from llamafarm.engine.exchange import exchange_notes
    from llamafarm.runtime import open_runtime, zero

    with stop.on_signals():
        async with open_runtime(record=record) as runtime:
            origin = replace(origin, routes=await runtime.suggested(question.messages[-1].content, project))
            await zero(runtime)
            known = () if fair else tuple(exchange_notes([lane.model for lane in lanes]))
            routes = origin.routes if live else ()
            with LiveTable(routes, project.default_model, shown=live, known=known) as table:
                quiet = runtime.fair() if fair else None
                comparison = runtime.compare(project, lanes, question, origin=origin, fair=quiet)
                await asyncio.to_thread(table.show, comparison.replies())  # what is drawn for the first time is loaded
                async with comparison:
                    with stop.stops(comparison.stop):
                        async for replies in comparison.updates(FRAME_S, heartbeat_s=FRAME_S):
                            await asyncio.to_thread(table.show, replies)
    # The store is closed by now: what it could not write is known.
    trouble = runtime.store.trouble if runtime.store else None
    return Ran(origin.routes, list(comparison.replies().values()), comparison.record, trouble, known)
