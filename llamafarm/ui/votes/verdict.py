"""A person's vote on a comparison: what stands on the page for it, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import gradio as gr
from gradio.blocks import Block

from llamafarm.core.errors import RequestError
from llamafarm.core.reply import Reply
from llamafarm.history.model import Recorded, Vote
from llamafarm.ui.compare.lane_panel import html
from llamafarm.ui.history.list import link_to
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.votes.blind import Blind

TIE, BAD = "tie", "bad"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The row; the style sheet hides what there is no use for."""

    said: gr.HTML
    choice: gr.Radio
    clear: gr.Button
    show: gr.Button

    @property
    def outputs(self) -> list[Block]:
        """All that a vote changes."""
        return [self.said, self.choice]


@dataclass(frozen=True, slots=True)
class Ballot:
    """What can be voted on: the recorded comparison (None where it is not kept), and its lanes as they are shown."""

    record: str | None
    lanes: tuple[str, ...]
    answered: frozenset[str]
    blind: Blind | None = None
    vote: Vote | None = None

    @property
    def open(self) -> bool:
        """Whether there is something to choose between."""
        return self.record is not None and len(self.lanes) > 1 and bool(self.answered)

    def choices(self) -> list[tuple[str, str]]:
        """What is offered, and the values behind it, which tell no name."""
        named = self.blind.label if self.blind else str
        best = [(named(lane), str(at)) for at, lane in enumerate(self.lanes) if lane in self.answered]
        return [*best, ("a tie", TIE), ("all bad", BAD)]

    def chosen(self) -> str | None:
        """The value of the vote as it stands."""
        if self.vote is None:
            return None
        if self.vote.lane is None:
            return self.vote.choice
        return str(self.lanes.index(self.vote.lane)) if self.vote.lane in self.lanes else None

    def voted(self, value: object) -> Vote:
        """The vote behind a value. Raises RequestError for one that was not offered."""
        if value not in {offered for _, offered in self.choices()}:
            raise RequestError("This can't be voted for.")
        now = datetime.now(UTC)
        if value in (TIE, BAD):
            return Vote("tie" if value == TIE else "bad", None, blind=self.blind is not None, voted_at=now)
        return Vote("best", self.lanes[int(str(value))], blind=self.blind is not None, voted_at=now)


def recorded_ballot(recorded: Recorded, blind: Blind | None) -> Ballot:
    """The ballot of an opened comparison."""
    lanes = blind.order if blind else tuple(recorded.replies)
    return Ballot(recorded.asked.id, lanes, answered(recorded.replies), blind, recorded.vote)


def answered(replies: Mapping[str, Reply]) -> frozenset[str]:
    """The lanes that have something to be judged by."""
    return frozenset(lane for lane, reply in replies.items() if reply.ended and (reply.text or reply.tool_runs))


def build_verdict(name: str) -> Verdict:
    """Build the row inside the current Blocks; `name` begins the ids of its parts."""
    with gr.Row(elem_id=name, elem_classes=["lf-verdict-row"]):
        choice = gr.Radio([], label="Which is best?", elem_id=f"{name}-choice", min_width=260)
        clear = gr.Button("Take the vote back", size="sm", min_width=130, elem_id=f"{name}-clear")
        show = gr.Button("Show the names without a vote", size="sm", min_width=190, elem_id=f"{name}-show")
        said = html(elem_id=f"{name}-said")
    return Verdict(said, choice, clear, show)


def verdict_updates(verdict: Verdict, ballot: Ballot | None, told: str = "", *, linked: bool = True) -> dict[Any, Any]:
    """The row for `ballot`; None is nothing to vote on. `told`: what a blind vote has revealed.

    `linked`: with the comparison's link, which waits until its names may be told.
    """
    if ballot is None:
        return {verdict.said: Markup(""), verdict.choice: gr.Radio(choices=[], value=None)}
    state = " ".join(
        ("lf-votable" if ballot.open else "", "lf-voted" if ballot.vote else "", "lf-unnamed" if ballot.blind else "")
    )
    address = link_to(ballot.record) if linked and ballot.record and not ballot.blind else None
    said = join(tag("p", told, class_="lf-note") if told else None, address)
    return {
        verdict.said: tag("div", said, class_=state.strip() or None),
        verdict.choice: gr.Radio(choices=ballot.choices(), value=ballot.chosen()),
    }


def revealed(blind: Blind, names: Mapping[str, str]) -> str:
    """Which answer was whose, in the order in which they stood."""
    return f"{'. '.join(f'{blind.label(lane)} was {names.get(lane, lane)}' for lane in blind.order)}."
