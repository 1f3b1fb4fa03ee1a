"""What the listeners of the votes call: on the newest comparison of the page, and on an opened one of the history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import gradio as gr

from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.reply import Reply
from llamafarm.history.model import Vote
from llamafarm.ui.handlers import refuse
from llamafarm.ui.history.handlers import HistoryHandlers
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import Updates
from llamafarm.ui.votes.hiding import ballot_of, kept_places, names_of, unhide
from llamafarm.ui.votes.verdict import Ballot, recorded_ballot, revealed, verdict_updates

NOTHING = "There is nothing to vote on."


@dataclass(frozen=True, slots=True)
class VoteHandlers:
    """One per page, beside `HistoryHandlers`."""

    past: HistoryHandlers

    # --- the newest comparison

    async def vote(self, request: gr.Request, choice: str | None, prompt: str) -> Updates:
        """The vote on it; where its names were hidden, they are told now."""
        session = self.past.base.session(request)
        return await self._newest(session, prompt, choice)

    async def clear(self, request: gr.Request, prompt: str) -> Updates:
        """No vote any more."""
        return await self._newest(self.past.base.session(request), prompt, None)

    async def show(self, request: gr.Request, prompt: str) -> Updates:
        """The names without a vote."""
        return self._told(self.past.base.session(request), prompt)

    async def _newest(self, session: Session, prompt: str, choice: str | None) -> Updates:
        ballot = ballot_of(session)
        try:
            vote = await self._kept(ballot, choice)
        except LlamaFarmError as error:
            return refuse(error)
        if ballot is not None and ballot.record is not None:
            session.votes.pop(ballot.record, None)
            session.votes |= {ballot.record: vote} if vote else {}
        if session.project is not None:
            await self.past.base.runner.runtime.learned(session.project)
        return self._told(session, prompt)

    def _told(self, session: Session, prompt: str) -> Updates:
        base, blind = self.past.base, session.blind
        page = base.page
        if blind is None:
            return {**base.routed(session, prompt), **verdict_updates(page.verdict, ballot_of(session))}
        if session.runs:
            return refuse(RequestError("Wait until all answers are there."))
        session.blind = None
        base.runner.secrets.tell([session.record, *(turn.record for turn in session.turns)])
        told = revealed(blind, names_of(session))
        return {
            **unhide(page, session, prompt, base.runner.suggested(session.project, prompt)),
            page.order: kept_places(session, blind),
            **base.talk(session),
            page.outlook: base.outlook(session, prompt),
            **verdict_updates(page.verdict, ballot_of(session), told),
        }

    # --- an opened one

    async def vote_past(self, request: gr.Request, choice: str | None) -> Updates:
        """The vote on the opened comparison."""
        return await self._past(self.past.base.session(request), choice)

    async def clear_past(self, request: gr.Request) -> Updates:
        """No vote on it any more."""
        return await self._past(self.past.base.session(request), None)

    async def show_past(self, request: gr.Request) -> Updates:
        """Its names without a vote."""
        session = self.past.base.session(request)
        try:
            return await self._told_past(session)
        except LlamaFarmError as error:
            return refuse(error)

    async def _past(self, session: Session, choice: str | None) -> Updates:
        opened, past = session.past.opened, session.past
        ballot = recorded_ballot(opened, past.blind) if opened else None
        try:
            vote = await self._kept(ballot, choice)
            if opened is not None:
                past.opened = replace(opened, vote=vote)
            return await self._told_past(session)
        except LlamaFarmError as error:
            return refuse(error)

    async def _told_past(self, session: Session) -> Updates:
        past = session.past
        if past.opened is None:
            raise RequestError(NOTHING)
        blind, past.blind = past.blind, None
        self.past.base.runner.secrets.tell([past.opened.asked.id])
        shown = await self.past.shown(session)
        named = {name: _identity(reply) for name, reply in past.opened.replies.items()}
        told = revealed(blind, named) if blind else ""
        ballot = recorded_ballot(past.opened, None)
        listed = await self.past.listed(session, past.place)
        return {**listed, **shown, **verdict_updates(self.past.tab.verdict, ballot, told, linked=False)}

    # --- both

    async def _kept(self, ballot: Ballot | None, choice: str | None) -> Vote | None:
        """The vote behind `choice`, when the history has it; None takes back what there was."""
        if ballot is None or ballot.record is None or not ballot.open:
            raise RequestError(NOTHING)
        vote = None if choice is None else ballot.voted(choice)
        await self.past.base.runner.runtime.history().vote(ballot.record, vote)
        return vote


def _identity(reply: Reply) -> str:
    return f"{reply.lane} ({reply.provider} {reply.model_id})"
