"""`lf report`: a run or a comparison as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HELP = """\b
Examples:
  lf report latest
  lf report 01jd4x --out temperature.html"""


def report(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="The id of a sweep, a batch or a comparison, or how it begins; or latest."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to; else report-RUN.html here. - is stdout."),
    ] = None,
) -> None:
    """Write a report for people who were not there: one HTML file that needs no network, to mail or to print."""
    import asyncio

    from llamafarm.cli.terminal.output import check_output
    from llamafarm.cli.terminal.streams import data_out
    from llamafarm.core.errors import RequestError
    from llamafarm.core.files import write_whole
    from llamafarm.output.report.page import report as made
    from llamafarm.output.report.subject import subject_of
    from llamafarm.runtime import open_history

    async def write() -> tuple[str, str]:
        async with open_history() as history:
            identity = (await subject_of(history, run)).id
            return identity, await made(history, identity)

    if out != Path("-"):
        check_output(out, (), "--out")
    identity, html = asyncio.run(write())
    if out == Path("-"):
        data_out().write(html.encode("utf-8", "replace"))
        return
    path = out or Path(f"report-{identity}.html")
    try:
        write_whole(path, html.encode("utf-8", "replace"))
    except OSError as error:
        raise RequestError(f"{path} can't be written: {error.strerror}.", hint="Name another with --out.") from None
    typer.echo(f"{path}: {len(html) // 1024 or 1:,} KiB. Open it in a browser, mail it, or print it.")
