"""`lf` under watch: `python -m tests.cli.zeroed REPORT ARGUMENTS…` tells what it did for the first time while lanes ran.

REPORT gets one JSON object: `lanes`, how many were measured, and `late`, what was imported, opened or compiled between
the start of the first and the end of the last, by Python's own audit events.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from llamafarm.cli import main
from llamafarm.core.events import Event
from llamafarm.runtime import runtime

FIRST_TIMES = ("import", "open", "compile", "sqlite3.connect", "ctypes.dlopen", "os.listdir", "os.scandir")


def run(report: Path, arguments: list[str]) -> None:
    """Run `lf`, and write the report, however it ends."""
    seen: list[tuple[float, str, str]] = []
    spans: list[tuple[str, float]] = []
    real: Any = vars(runtime)["chat"]

    async def watched(project: Any, lane: Any, *others: Any) -> AsyncGenerator[Event, None]:
        async with aclosing(real(project, lane, *others)) as events:
            async for event in events:
                if lane.model.model != "rehearsal":
                    spans.append((lane.id, event.at))
                yield event

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in FIRST_TIMES:
            seen.append((time.perf_counter(), event, str(arguments[0])[:200]))

    vars(runtime)["chat"] = watched
    sys.addaudithook(hook)
    try:
        main(arguments)
    finally:
        began, ended = min(at for _, at in spans), max(at for _, at in spans)
        late = [f"{event} {what}" for at, event, what in seen if began <= at <= ended]
        report.write_text(json.dumps({"lanes": len({lane for lane, _ in spans}), "late": late}))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
