"""What the listeners of the probe call: tell what it takes, start, stop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import gradio as gr

from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.history.probe import Probe
from llamafarm.runtime import ProbeRun
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.project.probe import ProbePanel, outlay_view, probes_view, progress_view
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates


@dataclass(frozen=True, slots=True)
class ProbeHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers
    panel: ProbePanel

    async def plan(self, request: gr.Request) -> Updates:
        """What probing the models that take part will take, and what is known of them; `start` is for just these."""
        session, runtime = self.base.session(request), self.base.runner.runtime
        try:
            _check(session)
            models = [model for model in session.shown() if model.usable]
            if not models:
                raise RequestError("Choose at least one model that can be asked.")
            await runtime.read_probes()
        except LlamaFarmError as error:
            return refuse(error)
        session.probe = runtime.of(session.caller).probe(models)
        kept = [probe for model in models if (probe := runtime.probes.of(model)) is not None]
        return {
            self.panel.told: outlay_view(session.probe.plans),
            self.panel.found: probes_view(kept),
            self.panel.start: gr.Button(visible=True),
        }

    async def start(self, request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Probe what was told, and follow it until it has ended or was stopped."""
        session, panel = self.base.session(request), self.panel
        try:
            run = _told(session)
        except RequestError as error:
            yield refuse(error)
            return
        session.probe = None
        yield {panel.start: gr.Button(visible=False), panel.stop: gr.Button(visible=True), panel.found: ""}
        try:
            session.probing = run
            async with aclosing(self._follow(session, run)) as updates:
                async for update in updates:
                    yield update
        finally:
            session.probing = None
        yield {panel.stop: gr.Button(visible=False)}

    async def _follow(self, session: Session, run: ProbeRun) -> AsyncGenerator[Updates, None]:
        names = [plan.model.name for plan in run.plans]
        doing: dict[str, str] = {}
        probes: list[Probe] = []
        yield {self.panel.told: progress_view(names, doing)}
        async with aclosing(run.follow()) as steps:
            async for step in steps:
                doing[step.model] = step.doing
                probes += [] if step.probe is None else [step.probe]
                if not session.closed and session.blind is None:
                    yield {
                        self.panel.told: progress_view(names, doing),
                        self.panel.found: probes_view(probes, run.trouble),
                    }

    def stop(self, request: gr.Request) -> None:
        """Stop the probe of this tab; what was found is shown and kept."""
        session = self.base.session(request)
        if session.probing is not None:
            session.probing.stop()


def _check(session: Session) -> None:
    """Raises RequestError where nothing can be probed now."""
    if session.project is None:
        raise RequestError("Open a project first.")
    if session.blind is not None:
        raise RequestError("Vote first: the models are hidden until then.")
    if session.probing is not None:
        raise RequestError("A probe runs already in this tab: stop it first.")


def _told(session: Session) -> ProbeRun:
    """The probe that was told what it takes, and may run now; raises RequestError where there is none."""
    _check(session)
    if session.probe is None:
        raise RequestError("Look first at what it takes.")
    return session.probe
