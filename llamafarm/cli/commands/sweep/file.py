"""The answers of a sweep as a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from llamafarm.experiments.sweep.findings import Findings
    from llamafarm.output.sweep import Tried


async def write_answers(findings: Findings, out: Path, *, excel: bool) -> bool:
    """Write all answers that there are, and say so; False where they could not be written, which is said too."""
    from llamafarm.cli.terminal.output import write_pieces
    from llamafarm.core.errors import LlamaFarmError
    from llamafarm.output.batch import form_of
    from llamafarm.output.sweep import written

    grid = findings.grid
    try:
        await write_pieces(written(_tried(findings), grid.values, form_of(out.name) or "csv", excel=excel), out)
    except LlamaFarmError as error:  # what was measured is shown all the same
        typer.echo(f"lf: {error}", err=True)
        return False
    count = sum(map(len, findings.samples.values()))
    typer.echo(f"{count:,} answers were written to {out}.", err=True)
    return True


def _tried(findings: Findings) -> Iterator[Tried]:
    """All answers: by model, value, prompt and repeat."""
    from llamafarm.output.sweep import Tried

    grid = findings.grid
    for model in grid.models:
        for number, value in enumerate(grid.values):
            samples = findings.samples.get((model.name, number), [])
            for sample in sorted(samples, key=lambda each: (each.prompt, each.repeat)):
                yield Tried(grid.parameter, value, grid.prompts[sample.prompt].text, sample)
