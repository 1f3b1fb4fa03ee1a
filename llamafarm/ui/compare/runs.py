"""Send, Stop and Retry: a comparison runs, and the page follows it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

import gradio as gr

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.core.types import Image, JsonValue, Route, Tool, ToolCall
from llamafarm.engine.lane import Lane, Question, failure
from llamafarm.engine.tool_loop.calls import DENIED, Approve
from llamafarm.routing import suggest
from llamafarm.runtime import Runtime
from llamafarm.ui.compare.fault_injection import staged
from llamafarm.ui.compare.live import Changes
from llamafarm.ui.compare.settings import Settings, changed
from llamafarm.ui.compare.tools import Held, held_card, held_key, told, too_long
from llamafarm.ui.conversation.panel import talk_updates
from llamafarm.ui.layout import Page
from llamafarm.ui.parts.inputs import read_variables
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates, banner_of, idle, live_updates, table_of
from llamafarm.ui.votes.blind import Blind, Secrets
from llamafarm.ui.votes.hiding import ballot_of, blind_answers, hide, unhide
from llamafarm.ui.votes.verdict import verdict_updates

FLUSH_S = 0.1
HEARTBEAT_S = 0.5
RECORDED_S = 2.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What Send and Retry read from the page; `settings` and `faults` are the controls of each seat, in order.

    `stage`: fault injection is on, and `faults` are staged. `ask_before`: MCP servers whose calls wait for a person.
    `fair`: one lane at a time, each model warmed before. `blind`: the lanes are to be judged without their names.
    """

    prompt: str
    variables: str
    blind: bool
    stage: bool
    faults: Sequence[str]
    ask_before: Sequence[str]
    settings: Sequence[Settings]
    fair: bool = False

    def question(self, images: tuple[Image, ...] = ()) -> Question:
        """The question; raises RequestError where a line of the variables can't be read."""
        if not self.prompt.strip():
            raise RequestError("Type a prompt first.")
        return Question.of(self.prompt, read_variables(self.variables), images)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs comparisons for sessions and yields what changes on the page.

    Raises RequestError before anything runs where the page's inputs don't make a question.
    """

    runtime: Runtime
    page: Page
    secrets: Secrets = field(default_factory=Secrets)

    async def send(self, session: Session, ask: Ask, *, follow: bool) -> AsyncGenerator[Updates, None]:
        """The prompt to all lanes that take part; the page follows until the last one has ended.

        `follow`: as the next turn of each lane's conversation, else as the first of a new one.
        """
        project = session.project
        if project is None:
            raise RequestError("Open a project first.")
        if not session.shown():
            raise RequestError("Choose at least one model.")
        question = ask.question(tuple(picture.image for picture in session.pictures))
        self.runtime.generations.check(session.caller, len(session.shown()))
        before, blind = session.blind, _blind(session, ask, follow=follow)
        session.ask(question, follow=follow)
        session.routes, session.blind = await self.runtime.suggested(ask.prompt, project), blind
        if blind is not None:
            yield hide(self.page, session)
        elif before is not None:
            yield unhide(self.page, session, ask.prompt, session.routes)
        yield self._frame(session, running=True)
        async with aclosing(self._follow(session, project, question, session.shown(), ask)) as updates:
            async for update in updates:
                yield update
        if not session.closed:
            yield self._frame(session, running=False)

    def suggested(self, project: Project | None, prompt: str) -> tuple[Route, ...]:
        """What every strategy would pick for a prompt that is typed, by what was learnt last."""
        if project is None or not prompt.strip():
            return ()
        return suggest(prompt, project, self.runtime.at_hand(project))

    def _frame(self, session: Session, *, running: bool) -> Updates:
        """What stands around the lanes, while they run and when they have ended."""
        page = self.page
        return {
            **talk_updates(page.talk, page.pictures, page.follow, page.lane_panels, session, running=running),
            **({page.notice: "", page.outlook: ""} if running else {}),
            **verdict_updates(page.verdict, None if running else ballot_of(session)),
            page.banner: banner_of(session),
            page.send: gr.Button(interactive=not running),
            page.stop: gr.Button(interactive=running),
        }

    async def retry(self, session: Session, index: int, ask: Ask) -> AsyncGenerator[Updates, None]:
        """The newest question again to the lane in `index`, with its controls as they stand now."""
        if session.project is None or index >= len(session.panel_models()):
            raise RequestError("This lane is no longer there.")
        session.question = question = session.question or ask.question(
            tuple(picture.image for picture in session.pictures)
        )
        if session.blind is not None:
            raise RequestError("A lane can be asked again after the vote.")
        model = session.panel_models()[index]
        self.runtime.generations.check(session.caller)
        session.stop(model.name)
        async with aclosing(self._follow(session, session.project, question, [model], ask)) as updates:
            async for update in updates:
                yield update
        if not session.closed and not session.runs:
            yield self._frame(session, running=False)

    async def _follow(
        self,
        session: Session,
        project: Project,
        question: Question,
        models: Sequence[NamedModel],
        ask: Ask,
    ) -> AsyncGenerator[Updates, None]:
        lanes, refused = _lanes(session, project, models, ask.settings)
        faults = staged(ask.stage, ask.faults, session.panel_models())
        runtime = self.runtime if faults is None else self.runtime.staged(faults, session.cooldowns)
        runtime = runtime.of(session.caller)
        origin, approve = session.origin, _approver(session, ask)
        fair = runtime.fair() if ask.fair else None
        running = runtime.compare(project, lanes, question, origin=origin, approve=approve, fair=fair)
        ticket = session.take({model.name for model in models})
        session.tell(ticket, refused | running.replies())
        changes: Changes[object, object] = Changes()
        yield changes.of(self._updates(session, ticket))
        async with running as comparison:
            session.record = comparison.record
            if session.blind is not None and comparison.record is not None:
                self.secrets.add(comparison.record)
            session.runs.append(comparison)
            try:
                async with aclosing(comparison.updates(FLUSH_S, heartbeat_s=HEARTBEAT_S)) as grown:
                    async for replies in grown:
                        session.tell(ticket, replies)
                        yield changes.of(self._updates(session, ticket))
            finally:
                session.runs.remove(comparison)
        await self._recorded()
        yield changes.of(self._updates(session, ticket))

    async def _recorded(self) -> None:
        """Wait a moment until the run is stored, so that the page can say so where it is not."""
        if self.runtime.store is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(RECORDED_S):
                    await self.runtime.store.recorded()

    def _updates(self, session: Session, ticket: object) -> Updates:
        """The table, and the lanes that still belong to the run that holds `ticket`."""
        if session.closed:
            return {}
        session.trouble = self.runtime.store.trouble if self.runtime.store else None
        gate = self.page.gate
        updates: Updates = {
            self.page.table: table_of(session),
            gate.shown: held_card(session.held, session.named),
            gate.key: held_key(session.held),
        }
        if session.blind is not None:
            return updates | blind_answers(self.page, session)
        for lane_panel, model in zip(self.page.lane_panels, session.panel_models(), strict=False):
            if session.holder.get(model.name) is ticket:
                updates |= live_updates(lane_panel, model, session)
        return updates


def _blind(session: Session, ask: Ask, *, follow: bool) -> Blind | None:
    """The order in which lanes are shown without their names, where they are to be judged so.

    A conversation whose names nobody has been told stays blind; one whose names are known can't become so.
    Raises RequestError where the faults of a demonstration would tell the lanes apart.
    """
    goes_on = follow and bool(session.all_turns()[: session.editing])
    lanes = [model.name for model in session.shown()]
    if len(lanes) < 2 or not (session.blind is not None if goes_on else ask.blind):  # noqa: PLR2004 - to choose between
        return None
    if ask.stage:
        raise RequestError("A demonstration of faults can't be blind.", hint="Switch off one of the two.")
    return Blind.of(lanes)


def _approver(session: Session, ask: Ask) -> Approve:
    """Lets a person decide on each call of the servers that they want to be asked about."""

    async def approve(lane: str, tool: Tool, _: ToolCall, arguments: Mapping[str, JsonValue]) -> str | None:
        if tool.server not in ask.ask_before:
            return None
        sent = told(arguments)
        if sent is None:
            return too_long(tool)
        held = Held(secrets.token_hex(8), lane, tool, sent, asyncio.get_running_loop().create_future())
        session.held.append(held)
        try:
            return None if await held.word else DENIED
        finally:
            session.held.remove(held)

    return approve


def _lanes(
    session: Session, project: Project, models: Sequence[NamedModel], settings: Sequence[Settings]
) -> tuple[list[Lane], dict[str, Reply]]:
    """The lanes that can run, and the replies of those whose controls make no sense."""
    lanes: list[Lane] = []
    refused: dict[str, Reply] = {}
    for model, setting in zip(session.panel_models(), settings, strict=False):
        if model not in models:
            continue
        try:
            lane = setting.lane(project, model)
            session.changed[model.name] = changed(lane)
            lanes.append(replace(lane, history=session.history(model.name)))
        except RequestError as error:
            refused[model.name] = replace(idle(model), status="failed", failure=failure(error))
    return lanes, refused
