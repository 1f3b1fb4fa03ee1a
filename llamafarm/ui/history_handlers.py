"""What the listeners of the History tab call: search, pages, opening, comparing two, deleting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llamafarm.config import parse
from llamafarm.config.model import Project
from llamafarm.errors import LlamaFarmError, RequestError
from llamafarm.records.diff import difference
from llamafarm.records.find import Found
from llamafarm.records.model import ProjectRef, Recorded
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.history import HistoryTab
from llamafarm.ui.historydiff import difference_view
from llamafarm.ui.historylist import Search, list_view
from llamafarm.ui.historyview import NO_LANE, KeptLane, kept_lanes, opened_view
from llamafarm.ui.markup import Markup, tag
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates

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
        return await self._told(self._listed(session))

    async def older(self, request: gr.Request) -> Updates:
        """The next page of the list."""
        session = self.base.session(request)
        return await self._told(self._listed(session, session.past.older))

    async def _listed(self, session: Session, older_than: str | None = None) -> Updates:
        past, tab = session.past, self.tab
        found = await self._history().find(past.search.filter(), older_than=older_than, limit=A_PAGE)
        past.older = found.older
        return {
            tab.listed: list_view(found, past.search, (), first=older_than is None, shared=self.shared),
            tab.older: gr.Button(interactive=found.older is not None),
            tab.project: gr.Dropdown(choices=_projects(session, found)),
            tab.model: gr.Dropdown(choices=_models(session, found)),
        }

    # --- opening

    async def open(self, request: gr.Request, identity: object) -> Updates:
        """A comparison of the list, as it was."""
        session = self.base.session(request)
        return await self._told(self._open(session, str(identity or "")))

    async def _open(self, session: Session, identity: str) -> Updates:
        recorded = await self._history().open(identity)
        session.past.opened = recorded
        return self.show(recorded, await self.project_of(recorded.asked.project))

    def show(self, recorded: Recorded, project: Project | None) -> Updates:
        """The opened comparison on the page."""
        lanes = {self.base.page.lanes: gr.Tabs(selected="history")}
        return {**lanes, self.tab.opened: opened_view(recorded, project), **self._cards(kept_lanes(recorded, project))}

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
        first, second = [await history.open(identity) for identity in ids]
        session.past.opened = None
        view = difference_view(first, second, difference(first, second))
        return {self.tab.opened: view, **self._cards()}

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
        updates: Updates = {self.tab.asked: Markup(""), **await self._listed(session)}
        gr.Info(f"Deleted: {gone} comparison{'' if gone == 1 else 's'}.")
        if past.opened and past.opened.asked.id in doomed:
            past.opened = None
            updates |= {self.tab.opened: Markup(""), **self._cards()}
        return updates

    # --- inside

    def _history(self) -> Any:
        return self.base.runner.runtime.history()

    async def _told(self, updates: Awaitable[Updates]) -> Updates:
        """The updates; what can't be done is said."""
        try:
            return await updates
        except LlamaFarmError as error:
            return refuse(RequestError(error.message, hint="" if error.hint.startswith("lf ") else error.hint))


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
