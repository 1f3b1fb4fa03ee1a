"""What the listeners of the History tab call: search, pages, opening, comparing two, deleting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.history.diff import difference
from llamafarm.history.model import ProjectRef
from llamafarm.history.query import Found
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.history.diff import difference_view
from llamafarm.ui.history.list import Search, list_view
from llamafarm.ui.history.tab import HistoryTab
from llamafarm.ui.history.view import NO_LANE, KeptLane, blind_lanes, blind_view, kept_lanes, opened_view
from llamafarm.ui.history.win_rates import rates_view
from llamafarm.ui.parts.markup import Markup, tag
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates
from llamafarm.ui.votes.blind import Blind, Secrets
from llamafarm.ui.votes.verdict import recorded_ballot, verdict_updates

if TYPE_CHECKING:
    from llamafarm.history.database.history import History

A_PAGE = 20
TWO = 2


@dataclass(frozen=True, slots=True)
class HistoryHandlers:
    """One per page, beside `Handlers`. `shared`: others than the person at this machine may see the page."""

    base: Handlers
    tab: HistoryTab
    shared: bool

    # --- the list

    async def search(self, request: gr.Request, *inputs: Any) -> Updates:
        """The newest of what is looked for."""
        session = self.base.session(request)
        session.past.search = Search(*inputs)
        return await self._told(self.listed(session))

    async def older(self, request: gr.Request) -> Updates:
        """The next page of the list."""
        session = self.base.session(request)
        return await self._told(self.listed(session, session.past.older))

    async def listed(self, session: Session, older_than: str | None = None) -> Updates:
        """A page of the list, and the win rates of all that is looked for."""
        past, tab, history = session.past, self.tab, self._history()
        found = await history.find(past.search.filter(), older_than=older_than, limit=A_PAGE)
        rates = await history.standings(past.search.filter())
        past.place, past.older = older_than, found.older
        return {
            tab.rates: await asyncio.to_thread(rates_view, rates),
            tab.listed: list_view(found, past.search, self._secrets, first=older_than is None, shared=self.shared),
            tab.older: gr.Button(interactive=found.older is not None),
            tab.project: gr.Dropdown(choices=_projects(session, found)),
            tab.model: gr.Dropdown(choices=_models(session, found)),
        }

    # --- opening

    async def open(self, request: gr.Request, identity: object, blind: bool) -> Updates:  # noqa: FBT001 - a checkbox's value
        """A comparison of the list, as it was; without its names where they are a secret, or not wanted yet."""
        session = self.base.session(request)
        return await self._told(self._open(session, str(identity or ""), blind=blind))

    async def linked(self, request: gr.Request, identity: object, blind: bool) -> Updates:  # noqa: FBT001 - a checkbox's value
        """The comparison that the page's address names; where there is none such, the tab says so."""
        session, link = self.base.session(request), str(identity or "")
        if not link:
            nothing: Updates = gr.skip()
            return nothing
        try:
            return await self._open(session, link, blind=blind)
        except RequestError:
            said = "The link's comparison is not in this server's history: it was deleted, or the link is not whole."
        except LlamaFarmError as error:
            said = str(error)
        alert = tag("div", said, class_="lf-alert lf-opened", role="alert")
        return {self.base.page.pages: gr.Tabs(selected="history"), self.tab.opened: alert}

    async def _open(self, session: Session, identity: str, *, blind: bool) -> Updates:
        recorded = await self._history().open(identity)
        several = len(recorded.replies) > 1
        secret = recorded.asked.id in self._secrets or (blind and several and recorded.vote is None)
        session.past.opened = recorded
        session.past.blind = Blind.of(recorded.replies) if secret else None
        return await self.shown(session)

    async def shown(self, session: Session) -> Updates:
        """The opened comparison on the page, with or without its names."""
        recorded, blind = session.past.opened, session.past.blind
        if recorded is None:
            return {}
        project = None if blind else await self.project_of(recorded.asked.project)
        # Reading long answers as Markdown takes a tenth of a second each: lanes that run are not made late by it.
        lanes = await asyncio.to_thread(
            lambda: blind_lanes(recorded, blind) if blind else kept_lanes(recorded, project)
        )
        return {
            self.base.page.pages: gr.Tabs(selected="history"),
            self.tab.opened: blind_view(recorded, blind) if blind else opened_view(recorded, project),
            **verdict_updates(self.tab.verdict, recorded_ballot(recorded, blind), linked=False),
            **self._cards(lanes),
        }

    def _cards(self, lanes: Sequence[KeptLane] = ()) -> Updates:
        updates: Updates = {}
        for index, card in enumerate(self.tab.cards):
            lane = lanes[index] if index < len(lanes) else NO_LANE
            updates |= {card.head: lane.head, card.reasoning: lane.reasoning, card.answer: lane.answer}
            updates |= {card.foot: lane.foot, card.thoughts: gr.update(label=lane.title)}
        return updates

    async def project_of(self, ref: ProjectRef) -> Project | None:
        """The project file as it was when it was asked by, where it was kept; nothing of it is resolved or started."""
        snapshot = await self._history().snapshot(ref.digest) if ref.digest else None
        if snapshot is None:
            return None
        loaded = await asyncio.to_thread(parse, snapshot.text, name=snapshot.file, trusted=False)
        return loaded.project

    async def compare(self, request: gr.Request, ids: object) -> Updates:
        """The two comparisons that are ticked, side by side; the older is the first."""
        session = self.base.session(request)
        chosen = sorted(_texts(ids))
        if len(chosen) != TWO:
            return refuse(RequestError("Tick two comparisons of the list first."))
        return await self._told(self._compare(session, chosen))

    async def _compare(self, session: Session, ids: Sequence[str]) -> Updates:
        history = self._history()
        if any(identity in self._secrets for identity in ids):
            raise RequestError("Vote first: the models of one of them are hidden until then.")
        first, second = [await history.open(identity) for identity in ids]
        session.past.opened = None
        view = difference_view(first, second, difference(first, second))
        return {self.tab.opened: view, **verdict_updates(self.tab.verdict, None), **self._cards()}

    # --- deleting

    async def delete(self, request: gr.Request, ids: object) -> Updates:
        """Ask before the ticked ones are deleted."""
        return self._doom(self.base.session(request), _texts(ids))

    async def remove(self, request: gr.Request) -> Updates:
        """Ask before the opened one is deleted."""
        session = self.base.session(request)
        opened = session.past.opened
        return self._doom(session, [opened.asked.id] if opened else [])

    def _doom(self, session: Session, ids: Sequence[str]) -> Updates:
        if not ids:
            return refuse(RequestError("Tick comparisons of the list, or open one first."))
        session.past.doomed = tuple(ids)
        what = "this comparison" if len(ids) == 1 else f"these {len(ids)} comparisons"
        said = f"Delete {what} for good? Answers, figures and votes go with it."
        return {self.tab.asked: tag("p", said, class_="lf-doomed", role="alert")}

    async def keep(self, request: gr.Request) -> Updates:
        """Nothing is deleted."""
        self.base.session(request).past.doomed = ()
        return {self.tab.asked: Markup("")}

    async def deleted(self, request: gr.Request) -> Updates:
        """Delete what was asked about, and list anew."""
        return await self._told(self._delete(self.base.session(request)))

    async def _delete(self, session: Session) -> Updates:
        past, history = session.past, self._history()
        doomed, past.doomed = past.doomed, ()
        gone = await history.delete(doomed)
        updates: Updates = {self.tab.asked: Markup(""), **await self.listed(session)}
        gr.Info(f"Deleted: {gone} comparison{'' if gone == 1 else 's'}.")
        if past.opened and past.opened.asked.id in doomed:
            past.opened = None
            updates |= {self.tab.opened: Markup(""), **verdict_updates(self.tab.verdict, None), **self._cards()}
        return updates

    # --- inside

    def _history(self) -> History:
        return self.base.runner.runtime.history()

    @property
    def _secrets(self) -> Secrets:
        return self.base.runner.secrets

    async def _told(self, updates: Awaitable[Updates]) -> Updates:
        """The updates; what can't be done is said."""
        try:
            return await updates
        except LlamaFarmError as error:
            return refuse(error)


def _texts(value: object) -> list[str]:
    """The ids that a browser sent."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _projects(session: Session, found: Found) -> list[tuple[str, str]]:
    """What can be chosen at once: the project that is open, and those that the list shows."""
    own = session.project
    named = [f"{own.namespace}/{own.name}"] if own else []
    listed = (f"{brief.project.namespace}/{brief.project.name}" for brief in found.items)
    return [("all", ""), *((name, name) for name in dict.fromkeys([*named, *listed]))]


def _models(session: Session, found: Found) -> list[tuple[str, str]]:
    listed = (lane.model for brief in found.items for lane in brief.lanes)
    names = dict.fromkeys([*(model.name for model in session.models), *listed])
    return [("all", ""), *((name, name) for name in names)]
