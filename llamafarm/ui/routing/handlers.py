"""What the listeners of the Routing page call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from llamafarm.config.model import Project
from llamafarm.config.patch import apply_file, diff, routed_file, routed_text
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.types import JsonValue
from llamafarm.engine.recording import ref_of
from llamafarm.routing import Unlearnt
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.lab.view import patch_view
from llamafarm.ui.project.projects import SAMPLE
from llamafarm.ui.routing.tab import RoutingTab
from llamafarm.ui.routing.view import dialled_view, next_view, nothing_view, regret_view, state_view
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates

if TYPE_CHECKING:
    from llamafarm.experiments.learnt.dialled import Dialled
    from llamafarm.experiments.learnt.learnt import Learnt


@dataclass(frozen=True, slots=True)
class RoutingHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers
    tab: RoutingTab

    async def open(self, request: gr.Request, place: float) -> Updates:
        """The state of the evidence, the dial, what to vote on next, and the regret so far."""
        try:
            learnt = await self._learnt(self.base.session(request))
            if learnt is None:
                return {**dict.fromkeys(self.tab.told, ""), self.tab.state: nothing_view()}
            from llamafarm.experiments.learnt.gathered import waiting  # noqa: PLC0415 - loaded in a thread just now
            from llamafarm.experiments.learnt.metered import metered  # noqa: PLC0415 - the same
            from llamafarm.experiments.learnt.state import state_of  # noqa: PLC0415 - the same

            history, project = self.base.runner.runtime.history(), ref_of(learnt.project)
            waits = await waiting(history, learnt.gathered, project)
            following = await asyncio.to_thread(learnt.next_to_judge, waits)
            windows = metered(await history.suggestions(project), learnt.gathered.outcomes)
        except LlamaFarmError as error:
            return refuse(error)
        return {
            self.tab.state: state_view(state_of(learnt)),
            self.tab.dialled: dialled_view(await _dialled(learnt, place)),
            self.tab.following: next_view(following),
            self.tab.regret: regret_view(windows),
            self.tab.patch: "",
        }

    async def turn(self, request: gr.Request, place: float) -> Updates:
        """The history at another position of the dial."""
        learnt = await self._learnt(self.base.session(request))
        return {self.tab.dialled: "" if learnt is None else dialled_view(await _dialled(learnt, place))}

    async def show(self, request: gr.Request, place: float) -> Updates:
        """The dial as a change of the project file."""
        return await self._patch(self.base.session(request), place, write=False)

    async def write(self, request: gr.Request, place: float) -> Updates:
        """The same, written into the file where that is this machine's, and the person may."""
        return await self._patch(self.base.session(request), place, write=True)

    async def _patch(self, session: Session, place: float, *, write: bool) -> Updates:
        try:
            learnt = await self._learnt(session)
            found = None if learnt is None else await _dialled(learnt, place)
            if found is None or session.project is None:
                raise RequestError("There is no evidence yet that a dial could be set by.")
            setting: dict[str, JsonValue] = {
                "strategy": "learned",
                "per_dollar": float(f"{found.chosen.dial.per_cost:.6g}"),
            }
            change, why = await asyncio.to_thread(_changed, session, session.project, setting, write)
        except LlamaFarmError as error:
            return refuse(error)
        return {self.tab.patch: patch_view(change, why)}

    async def _learnt(self, session: Session) -> Learnt | None:
        """None where nothing was judged yet."""
        project = session.project
        found = None if project is None else await self.base.runner.runtime.learned(project)
        return None if found is None or isinstance(found, Unlearnt) else found  # type: ignore[return-value]  # the other one


def _changed(session: Session, project: Project, setting: Mapping[str, JsonValue], write: bool) -> tuple[str, str]:  # noqa: FBT001 - private
    """The diff, and what became of it. Blocks."""
    own = project.source is not None and project.trusted and not (session.source or "").startswith(SAMPLE)
    if not own or project.source is None or not session.rights.trust:
        after = routed_text(session.text, session.title, setting)
        why = "It can be written into files of this machine only: put it into yours by hand."
        return diff(session.text, after, session.title), why
    before, after = routed_file(project.source, setting)
    if write:
        apply_file(project.source, before, after)
    told = "It is written: open the file again." if write else ""
    return diff(before, after, session.title), told


async def _dialled(learnt: Learnt, place: float) -> Dialled | None:
    """The history at a place of the slider, from 0 to 100."""
    return await asyncio.to_thread(_at, learnt, place)


def _at(learnt: Learnt, place: float) -> Dialled | None:
    from llamafarm.experiments.learnt.dialled import dialled  # noqa: PLC0415 - loaded with numpy, in a thread
    from llamafarm.learning.replay import prices  # noqa: PLC0415 - the same

    ladder = prices(learnt.lanes)
    return dialled(learnt, per_dollar=ladder[round(max(min(place, 100.0), 0.0) / 100 * (len(ladder) - 1))])
