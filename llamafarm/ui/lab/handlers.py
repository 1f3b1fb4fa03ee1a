"""What the listeners of the temperature lab call: plan, start, stop, and apply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from llamafarm.config.patch import apply_file, diff, patch_file, patched
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.experiments.stats.guidelines import GUIDELINES
from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.sweep.findings import Findings, changes_of, recommendations
from llamafarm.experiments.sweep.grid import Grid
from llamafarm.experiments.sweep.run import SweepRun
from llamafarm.experiments.sweep.sweep import Result
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.lab.grid import Inputs
from llamafarm.ui.lab.tab import Lab
from llamafarm.ui.lab.view import findings_view, patch_view, plan_view, progress_view
from llamafarm.ui.parts.markup import Markup
from llamafarm.ui.parts.report_link import report_link
from llamafarm.ui.project.projects import SAMPLE
from llamafarm.ui.sessions import Proposal, Session
from llamafarm.ui.show import Updates

HEARTBEAT_S = 0.5
NEWEST = 4


@dataclass(frozen=True, slots=True)
class Asking:
    """A sweep to run; `run` is the one of the history that goes on, where it is none that begins."""

    grid: Grid
    task: str | None
    at_once: int
    fair: bool
    run: SweepRun | None = None


class Underway:
    """The runs that this page's tabs are asking now: none may be asked twice at once."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def __contains__(self, identity: object) -> bool:
        return identity in self._ids

    @asynccontextmanager
    async def of(self, run: SweepRun | None) -> AsyncIterator[None]:
        """While `run` is asked."""
        ids = {run.id} if run else set()
        self._ids |= ids
        try:
            yield
        finally:
            self._ids -= ids


@dataclass(frozen=True, slots=True)
class LabHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers
    lab: Lab
    underway: Underway = field(default_factory=Underway)

    async def plan(self, request: gr.Request, *inputs: Any) -> Updates:
        """What the sweep will take."""
        session = self.base.session(request)
        try:
            controls = Inputs(*inputs)
            grid = self._grid(session, controls)
            return {self.lab.planned: await self._planned(session, grid, controls)}
        except LlamaFarmError as error:
            return refuse(error)

    async def start(self, request: gr.Request, *inputs: Any) -> AsyncGenerator[Updates, None]:
        """Run the sweep, and follow it until it has ended or was stopped; then show what it found."""
        session, controls = self.base.session(request), Inputs(*inputs)
        try:
            if session.sweep is not None:
                raise RequestError("A sweep runs already in this tab: stop it first.")
            grid = self._grid(session, controls)
            asking = Asking(grid, controls.task or None, controls.calls_at_once, fair=bool(controls.fair))
            planned = await self._planned(session, grid, controls)
        except LlamaFarmError as error:
            yield refuse(error)
            return
        async with aclosing(self.run(session, asking, planned)) as updates:
            async for update in updates:
                yield update

    async def run(self, session: Session, asking: Asking, planned: Markup) -> AsyncGenerator[Updates, None]:
        """Ask, and follow it until it has ended or was stopped; then show what it found."""
        lab, findings = self.lab, Findings(asking.grid)
        session.proposal = None
        yield {
            lab.planned: planned,
            lab.start: gr.Button(interactive=False),
            lab.resume: gr.Button(interactive=False),
            lab.stop: gr.Button(interactive=True),
            lab.apply: gr.Button(interactive=False),
            lab.findings: Markup(""),
            lab.report: Markup(""),
            lab.patch: Markup(""),
        }
        async with aclosing(self._follow(session, asking, findings)) as updates:
            async for update in updates:
                yield update
        if not session.closed:
            yield await self.found(session, findings, asking.task)
        ready = gr.Button(interactive=True)
        yield {lab.start: ready, lab.resume: ready, lab.stop: gr.Button(interactive=False)}

    async def _follow(self, session: Session, asking: Asking, findings: Findings) -> AsyncGenerator[Updates, None]:
        runtime, newest, grid = self.base.runner.runtime.of(session.caller), list[Result](), asking.grid
        project = session.project
        if project is None:
            return
        run = asking.run or runtime.begin_sweep(project, grid, asking.task, fair=asking.fair)
        async with (
            self.underway.of(run),
            runtime.sweep(project, grid, at_once=asking.at_once, run=run, fair=asking.fair) as sweep,
        ):
            session.sweep = sweep
            try:
                async with aclosing(sweep.batches(heartbeat_s=HEARTBEAT_S)) as batches:
                    async for batch in batches:
                        for result in batch:
                            findings.add(result)
                        newest = [*newest, *batch][-NEWEST:]
                        yield {self.lab.progress: progress_view(grid, sweep.progress, newest)}
            finally:
                session.sweep = None
        done = progress_view(grid, sweep.progress, ())
        yield {self.lab.progress: done, self.lab.report: report_link(run.id if run else None)}

    async def found(self, session: Session, findings: Findings, task: str | None) -> Updates:
        """What a sweep found, and what of the project file would change."""
        grid, cells = findings.grid, await asyncio.to_thread(findings.cells)
        guideline = next((guide for guide in GUIDELINES if guide.key == task), None)
        found = recommendations(grid, cells, guideline.aim) if guideline else {}
        change, why_not = await asyncio.to_thread(self._propose, session, grid, found)
        lab = self.lab
        return {
            lab.findings: findings_view(grid, cells, found),
            lab.patch: patch_view(change, why_not),
            lab.apply: gr.Button(interactive=session.proposal is not None),
        }

    def _propose(self, session: Session, grid: Grid, found: Mapping[str, Recommendation]) -> tuple[str, str]:
        """The diff of the project file, and why it can't be applied; leaves the proposal where it can. Blocks."""
        changes = changes_of(grid, found)
        project = session.project
        if not changes or project is None:
            return "", ""
        own = project.source is not None and project.trusted and not (session.source or "").startswith(SAMPLE)
        try:
            if own and session.rights.trust and project.source is not None:
                before, after = patch_file(project.source, changes)
                session.proposal = Proposal(project.source, before, after)
                return diff(before, after, session.title), ""
            return diff(session.text, patched(session.text, session.title, changes), session.title), (
                "It can be applied to files of this machine only: put it into yours by hand."
            )
        except LlamaFarmError as error:
            return "", str(error)

    async def apply(self, request: gr.Request) -> Updates:
        """Write the proposal into its file."""
        session = self.base.session(request)
        proposal, session.proposal = session.proposal, None
        if proposal is None or not session.rights.trust:
            return refuse(RequestError("There is nothing to apply."))
        try:
            await asyncio.to_thread(apply_file, proposal.path, proposal.before, proposal.after)
        except LlamaFarmError as error:
            return refuse(error)
        gr.Info(escape(f"{proposal.path.name} was changed."))
        return {self.lab.apply: gr.Button(interactive=False)}

    def stop(self, request: gr.Request) -> None:
        """Stop the sweep of this tab; what had come is measured."""
        session = self.base.session(request)
        if session.sweep is not None:
            session.sweep.stop()

    def _grid(self, session: Session, controls: Inputs) -> Grid:
        if session.project is None:
            raise RequestError("Open a project first.")
        return controls.grid(session.project, session.shown())

    async def _planned(self, session: Session, grid: Grid, controls: Inputs) -> Markup:
        project = session.project
        if project is None:
            return Markup("")
        runtime = self.base.runner.runtime
        return plan_view(await runtime.plan(project, grid, controls.calls_at_once, fair=bool(controls.fair)))
