"""What "Ask this again" calls: a past comparison goes into the page, with what of it can't be the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import gradio as gr

from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.engine.recording import question_of
from llamafarm.history.model import Recorded
from llamafarm.ui.compare.fault_injection import fault_updates
from llamafarm.ui.compare.refill import Refill, refill
from llamafarm.ui.conversation.conversation import Turn, history
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.parts.markup import Markup, tag
from llamafarm.ui.parts.pictures import Picture
from llamafarm.ui.parts.temperature import scale
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates, live_updates, slots_updates
from llamafarm.ui.votes.hiding import ballot_of, unhide
from llamafarm.ui.votes.verdict import verdict_updates

MOST_TURNS = 100
LOST = "The conversation before it can't be put back: it is asked without."


@dataclass(frozen=True, slots=True)
class Rerun:
    """One per page, beside `Handlers`."""

    base: Handlers

    async def fill(self, request: gr.Request) -> Updates:
        """The opened comparison into the page: prompt, pictures, variables, models and their settings."""
        session = self.base.session(request)
        recorded, project = session.past.opened, session.project
        try:
            if recorded is None:
                raise RequestError("Open a comparison first.")
            if project is None:
                raise RequestError("Open its project first.")
            if session.past.blind is not None:
                raise RequestError("Vote first: the models are hidden until then.")
            found = refill(recorded, project)
            turns = await self._turns(recorded)
        except LlamaFarmError as error:
            return refuse(error)
        notes = [*found.notes, *([LOST] if turns is None else ())]
        return self._filled(session, recorded, found, turns or [], notes)

    def _filled(
        self, session: Session, recorded: Recorded, found: Refill, turns: Sequence[Turn], notes: Sequence[str]
    ) -> Updates:
        page, before = self.base.page, session.panel_models()
        was_blind, session.blind = session.blind is not None, None
        session.keep(turns)
        session.chosen, session.rerun = found.chosen, (recorded.asked.id, found.prompt)
        session.pictures = tuple(
            Picture(f"picture {number}", len(image.data) * 3 // 4, image)
            for number, image in enumerate(found.images, 1)
        )
        how = "Follow up asks it, after the conversation before it" if turns else "Send asks it"
        return {
            **(unhide(page, session, found.prompt, session.routes) if was_blind else {}),
            page.pages: gr.Tabs(selected="compare"),
            page.lanes: gr.Tabs(selected="all"),
            page.prompt: found.prompt,
            page.variables: gr.Textbox(value=found.variables),
            page.models: gr.CheckboxGroup(value=found.chosen),
            page.notice: notice(f"What was asked before is put in: {how}.", notes),
            **self.base.routed(session, found.prompt),
            **self.base.talk(session),
            **verdict_updates(page.verdict, ballot_of(session)),
            **fault_updates(page.fault_panel, session.panel_models(), before),
            **slots_updates(page.lane_panels, session),
            **self._settings(session, found),
        }

    def _settings(self, session: Session, found: Refill) -> Updates:
        updates: Updates = {}
        for lane_panel, model in zip(self.base.page.lane_panels, session.panel_models(), strict=False):
            updates |= live_updates(lane_panel, model, session)
            if (settings := found.settings.get(model.name)) is not None:
                updates |= dict(zip(lane_panel.tab.controls, astuple(settings), strict=True))
                updates[lane_panel.tab.guide] = scale(settings.temperature if settings.send_temperature else None)
        return updates

    async def _turns(self, recorded: Recorded) -> list[Turn] | None:
        """The conversation before it, where it is kept whole; None where it is not."""
        if not any(lane.spec.history for lane in recorded.lanes):
            return []
        kept, turns = self.base.runner.runtime.history(), list[Turn]()
        parent = recorded.asked.parent
        while parent is not None and len(turns) < MOST_TURNS:
            found = await kept.whole([parent])
            if not found:
                return None
            (earlier,) = found
            turns.insert(0, _turn(earlier))
            if _as_heard(turns, recorded):
                return turns
            parent = earlier.asked.parent
        return None


def _turn(recorded: Recorded) -> Turn:
    asked = recorded.asked
    return Turn(question_of(asked), recorded.replies, asked.id)


def _as_heard(turns: Sequence[Turn], recorded: Recorded) -> bool:
    """Whether `turns` are what each lane had said and heard."""
    return all(history(turns, lane.spec.id) == lane.spec.history for lane in recorded.lanes)


def notice(title: str, notes: Sequence[Any]) -> Markup:
    """A card above the answers; empty notes are none."""
    items = tag("ul", *(tag("li", str(note)) for note in notes)) if notes else None
    return tag("div", tag("strong", title), items, class_="lf-card lf-notice", role="status")
