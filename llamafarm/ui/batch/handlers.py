"""What the listeners of the batch tab call: choose, plan, start, stop, and the list of earlier batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr

from llamafarm.config.model import Project
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.engine.recording import ref_of
from llamafarm.experiments.batch.batch import Batch
from llamafarm.experiments.batch.job import Job, Survey, check_survey
from llamafarm.experiments.batch.run import BatchRun, check_same_file, job_from
from llamafarm.experiments.progress import Redraws
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.runtime import surveyed
from llamafarm.ui.batch.job import Inputs
from llamafarm.ui.batch.tab import BatchTab
from llamafarm.ui.batch.view import batch_progress, choices, chosen_view, results_view, survey_view
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.parts.prompt_files import Files, Prompts, uploaded_bytes
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates

FRAME_S = 0.5
LISTED = 30


@dataclass(frozen=True, slots=True)
class BatchHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers
    tab: BatchTab
    files: Files = field(default_factory=Files)

    async def choose(self, upload: Mapping[str, Any], request: gr.Request) -> Updates:
        """Take a file from the browser."""
        session = self.base.session(request)
        try:
            name, data = uploaded_bytes(upload or {})
            path = await asyncio.to_thread(self.files.keep, data)
        except LlamaFarmError as error:
            return refuse(error)
        session.prompts = Prompts(path, name, len(data))
        return {self.tab.chosen: chosen_view(name, len(data)), self.tab.pasted: ""}

    async def earlier(self, request: gr.Request) -> Updates:
        """List the project's batches of the history, newest first."""
        runtime, project = self.base.runner.runtime, self.base.session(request).project
        if runtime.store is None or project is None:
            return {self.tab.earlier: gr.Dropdown(choices(()))}
        try:
            runs = await runtime.history().runs(kind="batch", project=ref_of(project), limit=LISTED)
        except LlamaFarmError as error:
            return refuse(error)
        return {self.tab.earlier: gr.Dropdown(choices(runs))}

    async def plan(self, request: gr.Request, *inputs: Any) -> Updates:
        """What the batch will take."""
        session = self.base.session(request)
        try:
            _, _, survey = await self._job(session, Inputs(*inputs))
        except LlamaFarmError as error:
            return refuse(error)
        return {self.tab.planned: survey_view(survey)}

    async def start(self, request: gr.Request, *inputs: Any) -> AsyncGenerator[Updates, None]:
        """Run the batch, and follow it until it has ended or was stopped."""
        session, controls, tab = self.base.session(request), Inputs(*inputs), self.tab
        try:
            if session.batch is not None:
                raise RequestError("A batch runs already in this tab: stop it first.")
            project, job, survey = await self._job(session, controls)
            run = self._run(project, job, survey, controls.earlier)
            runtime = self.base.runner.runtime.of(session.caller)
            batch = runtime.batch(project, job, survey, at_once=controls.calls_at_once, run=run)
        except LlamaFarmError as error:
            yield refuse(error)
            return
        yield {
            tab.planned: survey_view(survey),
            tab.start: gr.Button(interactive=False),
            tab.stop: gr.Button(interactive=True),
        }
        try:
            async with aclosing(
                self._follow(session, batch, 1 if job.fair else controls.calls_at_once, run)
            ) as updates:
                async for update in updates:
                    yield update
        except LlamaFarmError as error:
            yield refuse(error)
        yield {tab.start: gr.Button(interactive=True), tab.stop: gr.Button(interactive=False)}

    async def _follow(
        self, session: Session, batch: Batch, at_once: int, run: BatchRun | None
    ) -> AsyncGenerator[Updates, None]:
        """The updates of a batch. The table is drawn in a thread, and seldom where it takes long."""
        tab, identity, redraws = self.tab, None if run is None else run.id, Redraws()
        kept = session.prompts  # the file stays while it is asked, whatever is chosen meanwhile
        async with batch:
            session.batch = batch
            try:
                async with aclosing(batch.ticks(FRAME_S)) as ticks:
                    async for progress in ticks:
                        update: Updates = {tab.progress: batch_progress(progress, list(batch.newest))}
                        table = await redraws.drawn(results_view, batch.tallies, at_once, identity, ended=False)
                        yield update if table is None else {**update, tab.results: table}
            finally:
                session.batch = None
        del kept
        whole = await asyncio.to_thread(results_view, batch.tallies, at_once, identity, ended=True)
        yield {tab.progress: batch_progress(batch.progress, ()), tab.results: whole}

    def stop(self, request: gr.Request) -> None:
        """Stop the batch of this tab; what had ended is kept."""
        session = self.base.session(request)
        if session.batch is not None:
            session.batch.stop()

    async def _job(self, session: Session, controls: Inputs) -> tuple[Project, Job, Survey]:
        """What is to be asked. Raises LlamaFarmError where it can't be."""
        project = session.project
        if project is None:
            raise RequestError("Open a project first.")
        if controls.pasted.strip():
            data = controls.pasted.encode("utf-8", "replace")
            session.prompts = Prompts(await asyncio.to_thread(self.files.keep, data), "pasted", len(data))
        prompts = session.prompts
        if prompts is None:
            raise RequestError("Choose a file of prompts first, or paste one.")
        if controls.earlier:
            history = self.base.runner.runtime.history()
            run = await history.run(controls.earlier)
            job = job_from(run, project, PromptFile(prompts.path, name=prompts.name))
            await asyncio.to_thread(check_same_file, run, job.file)
        else:
            job = controls.job(session.shown(), prompts)
        survey = await asyncio.to_thread(surveyed, project, job)
        check_survey(job, survey)
        plan = await self.base.runner.runtime.expecting(survey.plan, controls.calls_at_once, fair=job.fair)
        return project, job, replace(survey, plan=plan)

    def _run(self, project: Project, job: Job, survey: Survey, earlier: str | None) -> BatchRun | None:
        runtime = self.base.runner.runtime
        if earlier:
            return runtime.resume_batch(earlier, survey)
        return runtime.begin_batch(project, job, survey)
