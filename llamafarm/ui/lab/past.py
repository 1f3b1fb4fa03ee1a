"""Earlier sweeps on the lab's tab: listed, shown as at their end, and gone on with."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llamafarm.core.characters import excerpt
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.engine.recording import ref_of
from llamafarm.experiments.sweep.findings import Findings
from llamafarm.experiments.sweep.past import past_results
from llamafarm.history.model import Run
from llamafarm.ui.handlers import refuse
from llamafarm.ui.history.handlers import HistoryHandlers
from llamafarm.ui.history.list import when
from llamafarm.ui.lab.grid import Inputs
from llamafarm.ui.lab.handlers import Asking, LabHandlers
from llamafarm.ui.lab.view import plan_view
from llamafarm.ui.parts.markup import Markup, tag
from llamafarm.ui.parts.report_link import report_link
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates

LISTED = 50
LETTERS = 70


@dataclass(frozen=True, slots=True)
class LabPast:
    """One per page, beside `LabHandlers`."""

    handlers: LabHandlers
    past: HistoryHandlers

    async def listed(self, request: gr.Request) -> Updates:
        """The project's sweeps, newest first; those that have not ended say so."""
        session = self.handlers.base.session(request)
        runtime = self.handlers.base.runner.runtime
        if session.project is None or runtime.store is None:
            return {self.handlers.lab.earlier: gr.Dropdown(choices=[], value=None)}
        try:
            found = await runtime.history().runs(kind="sweep", project=ref_of(session.project), limit=LISTED)
        except LlamaFarmError as error:
            return refuse(error)
        return {self.handlers.lab.earlier: gr.Dropdown(choices=choices(found, self.handlers.underway))}

    async def show(self, request: gr.Request, identity: str | None) -> Updates:
        """What the sweep had found when it ended, or so far; nothing is asked."""
        session = self.handlers.base.session(request)
        try:
            return await self._shown(session, await self._run(identity))
        except LlamaFarmError as error:
            return refuse(error)

    async def _shown(self, session: Session, run: Run) -> Updates:
        lab, runtime, now = self.handlers.lab, self.handlers.base.runner.runtime, session.project
        if session.sweep is not None:
            raise RequestError("A sweep runs in this tab: stop it first.")
        same = now is not None and now.digest == run.project.digest
        project = now if same else await self.past.project_of(run.project)
        if project is None:
            raise RequestError("The project file that it was begun with was not kept.")
        grid, replies = await runtime.past_sweep(run, project)
        findings, task = Findings(grid), run.plan.get("task")
        async with aclosing(past_results(grid, replies)) as results:
            async for result in results:
                findings.add(result)
        session.proposal = None
        shown = await self.handlers.found(session, findings, task if isinstance(task, str) else None)
        if not same:  # what is recommended is for the file as it was
            session.proposal = None
            note = tag("p", "The project file has changed since: this is what was found with it as it was.")
            shown |= {lab.patch: note, lab.apply: gr.Button(interactive=False)}
        done = sum(len(samples) for samples in findings.samples.values())
        state = tag("p", f"{done:,} of {grid.size:,} calls of {when(run.started_at)}, as they were.", class_="lf-note")
        return {lab.planned: Markup(""), lab.progress: state, lab.report: report_link(run.id), **shown}

    async def resume(self, request: gr.Request, identity: str | None, *inputs: Any) -> AsyncGenerator[Updates, None]:
        """Ask what is missing of the sweep, and nothing that has ended."""
        session = self.handlers.base.session(request)
        try:
            asking, planned = await self._asking(session, await self._run(identity), Inputs(*inputs).calls_at_once)
        except LlamaFarmError as error:
            yield refuse(error)
            return
        async with aclosing(self.handlers.run(session, asking, planned)) as updates:
            async for update in updates:
                yield update

    async def _asking(self, session: Session, run: Run, at_once: int) -> tuple[Asking, Markup]:
        if session.sweep is not None:
            raise RequestError("A sweep runs already in this tab: stop it first.")
        if run.id in self.handlers.underway:
            raise RequestError("This sweep runs now, in another tab.")
        if run.ended_at is not None:
            raise RequestError("This sweep has ended: nothing of it is missing.", hint="Show what it found.")
        if session.project is None:
            raise RequestError("Open its project first.")
        runtime = self.handlers.base.runner.runtime
        ledger, grid, task = await runtime.resume_sweep(run.id, session.project)
        plan = await runtime.plan(session.project, grid, at_once, fair=ledger.fair)
        return Asking(grid, task, at_once, fair=ledger.fair, run=ledger), plan_view(plan)

    async def _run(self, identity: str | None) -> Run:
        if not identity:
            raise RequestError("Choose an earlier sweep first.")
        return await self.handlers.base.runner.runtime.history().run(identity)


def choices(found: Sequence[Run], underway: Container[str]) -> list[tuple[str, str]]:
    """Each run in a few words, and its id."""
    return [
        (f"{when(run.started_at)} · {excerpt(run.title, LETTERS)} · {_state(run, underway)}", run.id) for run in found
    ]


def _state(run: Run, underway: Container[str]) -> str:
    if run.ended_at is not None:
        return "ended"
    return "runs now" if run.id in underway else "not ended"
