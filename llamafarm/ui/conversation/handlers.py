"""What the listeners of the conversation call: follow up, edit, remove, clear, one lane alone, pictures."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llamafarm.core.errors import RequestError
from llamafarm.core.types import Image
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.parts.pictures import Picture, read_pictures
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates, live_updates
from llamafarm.ui.votes.hiding import ballot_of, unhide
from llamafarm.ui.votes.verdict import verdict_updates


@dataclass(frozen=True, slots=True)
class TalkHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers

    async def follow_up(self, request: gr.Request, *inputs: Any) -> AsyncGenerator[Updates, None]:
        """The prompt as the next turn of every lane that takes part."""
        async for updates in self.base.ask(request, inputs, follow=True):
            yield updates

    def edit(self, request: gr.Request, turn: int | None) -> Updates:
        """An earlier turn's words into the prompt; Follow up then asks them in its place."""
        session = self.base.session(request)
        turns = session.all_turns()
        if turn is None or not 0 <= turn < len(turns):
            return refuse(RequestError("Choose a turn first."))
        session.editing = turn
        message = turns[turn].question.messages[-1]
        session.pictures = tuple(_picture(number, image) for number, image in enumerate(message.images, 1))
        return {self.base.page.prompt: message.content, **self.base.talk(session)}

    def remove(self, request: gr.Request, turn: int | None, prompt: str) -> Updates:
        """One turn out of every lane's history; its figures go with it."""
        session = self.base.session(request)
        turns = session.all_turns()
        if turn is None or not 0 <= turn < len(turns):
            return refuse(RequestError("Choose a turn first."))
        if session.blind is not None:
            return refuse(RequestError("Vote first: a turn's figures are hidden until then."))
        session.keep(turns[:turn] + turns[turn + 1 :])
        return self._anew(session, prompt)

    def clear(self, request: gr.Request, prompt: str) -> Updates:
        """All turns; where their names were hidden nobody is told them."""
        session = self.base.session(request)
        was_blind, session.blind = session.blind is not None, None
        session.keep([])
        named = unhide(self.base.page, session, prompt, session.routes) if was_blind else {}
        return {**named, **self._anew(session, prompt)}

    def _anew(self, session: Session, prompt: str) -> Updates:
        page = self.base.page
        updates: Updates = {**self.base.routed(session, prompt), **self.base.talk(session)}
        updates |= verdict_updates(page.verdict, ballot_of(session))
        for lane_panel, model in zip(page.lane_panels, session.panel_models(), strict=False):
            updates |= live_updates(lane_panel, model, session)
        return updates

    def alone(self, index: int) -> Callable[[gr.Request, str], Awaitable[Updates]]:
        """The listener that goes on with the lane in `index` alone."""

        async def listener(request: gr.Request, prompt: str) -> Updates:
            session = self.base.session(request)
            if index >= len(session.panel_models()):
                return refuse(RequestError("This lane is no longer there."))
            if session.blind is not None:
                return refuse(RequestError("Vote first: the models are hidden until then."))
            name = session.panel_models()[index].name
            chosen = await self.base.choose(request, [name], prompt)
            return {**chosen, self.base.page.models: gr.CheckboxGroup(value=[name])}

        return listener

    def attach(self, request: gr.Request, upload: Mapping[str, Any] | None, prompt: str) -> Updates:
        """Pictures that the browser read: {"files": [{"name", "data"}]}, or {"refused": why}."""
        session = self.base.session(request)
        try:
            session.pictures = read_pictures(upload or {}, session.pictures)
        except RequestError as error:
            return refuse(error)
        return {**self.base.talk(session), **self.base.routed(session, prompt)}

    def detach(self, request: gr.Request, prompt: str) -> Updates:
        """All pictures away."""
        session = self.base.session(request)
        session.pictures = ()
        return {**self.base.talk(session), **self.base.routed(session, prompt)}


def _picture(number: int, image: Image) -> Picture:
    return Picture(f"picture {number}", len(image.data) * 3 // 4, image)
