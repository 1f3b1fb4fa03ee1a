"""A file of prompts for a sweep, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.engine.lane import names_in
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.remarks import Remarks
from llamafarm.experiments.prompt_file.row import Bad
from llamafarm.experiments.sweep.grid import Prompt

MOST_PROMPTS = 1_000
TOLD = 20  # bad rows that are told one by one


def prompts_of(file: PromptFile) -> tuple[tuple[Prompt, ...], Remarks]:
    """All prompts of a file. Blocks. Raises RequestError, with the lines, where rows can't be asked or are too many."""
    prompts, bad, remarks = list[Prompt](), list[Bad](), Remarks(file.title)
    with closing(file.rows()) as rows:
        for row in rows:
            if isinstance(row, Bad):
                bad.append(row)
            else:
                prompts.append(Prompt(row.prompt, row.variables, row.checks, row.system))
                remarks.add(row)
            if len(prompts) > MOST_PROMPTS or len(bad) >= TOLD:
                break
    if bad:
        raise RequestError(f"{file.title} can't be asked: {'; '.join(map(str, bad))}.", hint="Nothing was asked.")
    if len(prompts) > MOST_PROMPTS:
        raise RequestError(f"{file.title} has more than {MOST_PROMPTS:,} prompts: too many for a sweep.")
    if not prompts:
        raise RequestError(f"{file.title} has no prompt.")
    return tuple(prompts), remarks


def notes_of(remarks: Remarks, project: Project, models: Iterable[NamedModel], system: str | None) -> tuple[str, ...]:
    """What a person should know of the file before `models` are asked."""
    return tuple(remarks.notes(names_in(project, models, system)))
