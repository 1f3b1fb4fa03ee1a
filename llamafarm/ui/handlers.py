"""What the page's listeners call: they find the tab's session, do the thing, and say what changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields
from html import escape
from typing import Any

import gradio as gr

from llamafarm.access.asgi import ANYBODY, CALLER
from llamafarm.access.operator import NONE, RIGHTS, Rights
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.engine.lane import Question
from llamafarm.ui.compare.estimate import look_ahead, outlook_card
from llamafarm.ui.compare.fault_injection import fault_updates
from llamafarm.ui.compare.runs import Ask, Runner
from llamafarm.ui.compare.settings import Settings
from llamafarm.ui.compare.table_file import table_file
from llamafarm.ui.conversation.panel import talk_updates
from llamafarm.ui.gradio_workarounds.blocks import forgotten
from llamafarm.ui.layout import Page
from llamafarm.ui.parts.cards import routing_card
from llamafarm.ui.parts.markup import Markup
from llamafarm.ui.project.file_cards import TOO_MUCH, report, too_much
from llamafarm.ui.project.projects import Projects
from llamafarm.ui.sessions import MAX_LANES, Session
from llamafarm.ui.show import Updates, banner_of, project_updates, slots_updates, table_of
from llamafarm.ui.tabs import Tabs
from llamafarm.ui.votes.blind import blind_routing
from llamafarm.ui.votes.verdict import verdict_updates

FIELDS = len(fields(Settings))


@dataclass(frozen=True, slots=True)
class Handlers:
    """One per page. Every method is a listener; `request` names the browser tab."""

    page: Page
    projects: Projects
    runner: Runner
    tabs: Tabs

    # --- opening projects

    async def start(self, request: gr.Request, prompt: str) -> Updates:
        """A browser tab has come: show the first project."""
        return await self.open_named(request, self.projects.sources()[0][1], prompt)

    def here(self, request: gr.Request) -> None:
        """The tab says that it is still there."""
        self.tabs.speak(_key(request))

    async def open_named(self, request: gr.Request, key: str, prompt: str) -> Updates:
        """A sample or one of the operator's projects."""
        return await self._open(request, prompt, self.projects.named(key))

    async def open_path(self, request: gr.Request, path: str, prompt: str) -> Updates:
        """A file of this machine."""
        return await self._open(request, prompt, self.projects.path(path, rights_of(request)))

    async def open_upload(self, request: gr.Request, upload: dict[str, str] | None, prompt: str) -> Updates:
        """A file that the browser read: {"name", "data" as base64}, or {"name", "refused": why}."""
        return await self._open(request, prompt, self.projects.upload(upload or {}))

    async def open_text(self, request: gr.Request, text: str, prompt: str) -> Updates:
        """The editor's text, where it differs from the file's and makes a project; else what is shown stays."""
        return await self._open(request, prompt, self._edited(text, self.session(request)))

    async def _edited(self, text: str, session: Session) -> Session:
        if text.rstrip() == session.text.rstrip():
            raise RequestError("The text is as it was: nothing was edited.")
        edited = await self.projects.edited(text, session)
        if edited.project is None and session.project is not None:
            raise RequestError(
                "This text makes no project: the one that is open stays. Mend what is told under the text."
            )
        return edited

    async def open_found(self, request: gr.Request, prompt: str, text: str) -> Updates:
        """The project of what was found on this machine."""
        return await self._open(request, prompt, self.projects.found(text))

    async def trust(self, request: gr.Request, prompt: str) -> Updates:
        """The file that is shown, trusted."""
        session = self.session(request)
        if too_much(session.loaded):
            return refuse(RequestError(TOO_MUCH))
        return await self._open(request, prompt, self.projects.trust(session, rights_of(request)))

    async def check(self, request: gr.Request, text: str) -> Updates:
        """What is wrong with the editor's text, while it is typed."""
        session = self.session(request)
        session.draft = text
        return {self.page.panel.check: report(await self.projects.check(text, session), "This text")}

    async def _open(self, request: gr.Request, prompt: str, opening: Awaitable[Session]) -> Updates:
        try:
            session = self.tabs.put(_key(request), await opening)
        except RequestError as error:
            return refuse(error)
        _know(session, request)
        return {
            **project_updates(self.page, session),
            **self.routed(session, prompt),
            **self.talk(session),
            **verdict_updates(self.page.verdict, None),
            self.page.send: gr.Button(interactive=True),
            self.page.stop: gr.Button(interactive=False),
        }

    # --- asking

    async def send(self, request: gr.Request, *inputs: Any) -> AsyncGenerator[Updates, None]:
        """The prompt to all lanes that take part, as the first of a new conversation."""
        async for updates in self.ask(request, inputs, follow=False):
            yield updates

    async def ask(self, request: gr.Request, inputs: Sequence[Any], *, follow: bool) -> AsyncGenerator[Updates, None]:
        """The prompt to all lanes that take part; at the end what the next message would be."""
        session, question = self.session(request), _ask(inputs)
        async for updates in self._told(self.runner.send(session, question, follow=follow)):
            yield updates
        if not session.closed:
            yield {self.page.outlook: self.outlook(session, question.prompt)}

    def retry(self, index: int) -> Callable[..., AsyncGenerator[Updates, None]]:
        """The listener that asks the lane in `index` again."""

        async def listener(request: gr.Request, *inputs: Any) -> AsyncGenerator[Updates, None]:
            async for updates in self._told(self.runner.retry(self.session(request), index, _ask(inputs))):
                yield updates

        return listener

    async def _told(self, run: AsyncGenerator[Updates, None]) -> AsyncGenerator[Updates, None]:
        try:
            async with aclosing(run):
                async for updates in run:
                    yield updates or gr.skip()
        except RequestError as error:
            yield refuse(error)

    def stop(self, request: gr.Request) -> None:
        """Stop everything that runs in this tab."""
        self.session(request).stop()

    def stop_lane(self, index: int) -> Callable[[gr.Request], None]:
        """The listener that stops the lane in `index`."""

        def listener(request: gr.Request) -> None:
            session = self.session(request)
            if (lane := session.lane_at(index)) is not None:
                session.stop(lane)

        return listener

    async def route(self, request: gr.Request, prompt: str) -> Updates:
        """The routing card for a prompt that is being typed; opening the first project routes what was typed before."""
        session = self.tabs.get(_key(request))
        nothing: Updates = gr.skip()
        if session is None:
            return nothing
        if session.project is not None and prompt.strip():
            await self.runner.runtime.learned(session.project)
        return self.routed(session, prompt)

    async def catch_up(self, request: gr.Request, prompt: str) -> Updates:
        """What was typed while the page opened; where nothing was, what is typed since then may have come first."""
        nothing: Updates = gr.skip()
        return await self.route(request, prompt) if prompt.strip() else nothing

    def routed(self, session: Session, prompt: str) -> Updates:
        """What follows from the prompt before it is sent: routes, their marks in the table, tokens and cost."""
        session.routes = self.runner.suggested(session.project, prompt)
        return {
            self.page.routing: blind_routing() if session.blind else routing_card(session.routes, prompt),
            self.page.table: table_of(session),
            self.page.outlook: self.outlook(session, prompt),
        }

    def outlook(self, session: Session, prompt: str) -> Markup:
        """What the prompt would be to each lane as the next message of its conversation."""
        if session.project is None or not prompt.strip() or session.blind is not None:
            return Markup("")
        question = Question.of(prompt, images=tuple(picture.image for picture in session.pictures))
        turns = session.all_turns()[: session.editing]
        runtime = self.runner.runtime
        found = look_ahead(
            session.project,
            session.shown(),
            turns,
            question,
            price=runtime.prices.price,
            window=runtime.context_window,
        )
        return outlook_card(found, follows=bool(turns))

    def talk(self, session: Session) -> Updates:
        """The conversation's panel as the session has it."""
        page = self.page
        return talk_updates(
            page.talk, page.pictures, page.follow, page.lane_panels, session, running=bool(session.runs)
        )

    # --- choosing and exporting

    async def choose(self, request: gr.Request, names: Sequence[str], prompt: str) -> Updates:
        """Which models take part; the page has seats for MAX_LANES of them at once."""
        session = self.session(request)
        if session.blind is not None:
            return refuse(RequestError("Vote first: the models are hidden until then."))
        too_many = len(names) > MAX_LANES
        if too_many:
            gr.Warning(f"The page shows up to {MAX_LANES} lanes at once: the first {MAX_LANES} are kept.")
        before = session.panel_models()
        session.chosen = [model.name for model in session.models if model.name in names][:MAX_LANES]
        return {
            # Told only where it changes: the answer to an older click must not undo a newer one.
            self.page.models: gr.CheckboxGroup(value=list(session.chosen)) if too_many else gr.skip(),
            self.page.table: table_of(session),
            self.page.outlook: self.outlook(session, prompt),
            self.page.banner: banner_of(session),
            **fault_updates(self.page.fault_panel, session.panel_models(), before),
            **slots_updates(self.page.lane_panels, session, before),
        }

    async def csv(self, request: gr.Request) -> str:
        """The table as CSV."""
        return await table_file(self.session(request), "csv")

    async def parquet(self, request: gr.Request) -> str:
        """The table as Parquet."""
        return await table_file(self.session(request), "parquet")

    # --- helpers

    def session(self, request: gr.Request) -> Session:
        """The tab's session; a tab that is no longer known is told to load again."""
        session = self.tabs.get(_key(request))
        if session is None:
            raise forgotten()
        _know(session, request)
        return session


def refuse(error: LlamaFarmError) -> Updates:
    """Tell the person why not, and change nothing. What a command would do is no help on the page."""
    hint = "" if error.hint.startswith("lf ") else error.hint
    gr.Warning(escape(f"{error.message} {hint}".strip()))
    nothing: Updates = gr.skip()
    return nothing


def _key(request: gr.Request) -> str:
    return request.session_hash or ""


def rights_of(request: gr.Request) -> Rights:
    """What the browser behind `request` may, as was found before the page saw it."""
    rights: Rights = request.request.scope.get(RIGHTS, NONE) if request.request else NONE
    return rights


def _know(session: Session, request: gr.Request) -> None:
    """Who is at the tab, and what they may: as of their newest request."""
    session.rights = rights_of(request)
    session.caller = (request.request.scope.get(CALLER) if request.request else None) or ANYBODY


def _ask(inputs: Sequence[Any]) -> Ask:
    """What Send and Retry get: see `ui.app`; the last are FIELDS controls a seat."""
    prompt, variables, fair, ask_before, blind, stage, *rest = inputs
    faults, controls = rest[:MAX_LANES], rest[MAX_LANES:]
    settings = [Settings(*controls[at : at + FIELDS]) for at in range(0, len(controls), FIELDS)]
    return Ask(prompt, variables or "", bool(blind), bool(stage), faults, tuple(ask_before or ()), settings, bool(fair))
