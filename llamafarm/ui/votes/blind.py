"""Blind lanes: letters in place of names, in an order that tells nothing, and no figure. Pure.

Nothing here gets a name, a model, a provider or a time: what is not made can't be sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from llamafarm.core.reply import Reply
from llamafarm.ui.parts.markup import Markup, join, tag
from llamafarm.ui.parts.words import RUNNING

HIDDEN = "Hidden until the vote."
TABLE = "Names, models, figures and the routing suggestion are hidden until the vote."
TOGETHER = "The answers show together, when all lanes have ended."


@dataclass(frozen=True, slots=True)
class Blind:
    """Lanes that are judged without their names: their ids in the order in which they are shown."""

    order: tuple[str, ...]

    @classmethod
    def of(cls, lanes: Iterable[str]) -> Blind:
        """`lanes` in a fresh order, drawn from the system's own randomness."""
        order = list(lanes)
        secrets.SystemRandom().shuffle(order)
        return cls(tuple(order))

    def label(self, lane: str) -> str:
        """What the lane is called: Answer A, Answer B, …"""
        return letter(self.order.index(lane))


def letter(place: int) -> str:
    """The name of the answer in this place."""
    return f"Answer {ascii_uppercase[place]}"


def all_ended(blind: Blind, replies: Mapping[str, Reply]) -> bool:
    """Whether every lane has ended, so that answers can be shown without telling who was quick."""
    return all(lane in replies and replies[lane].ended for lane in blind.order)


def blind_table(blind: Blind, replies: Mapping[str, Reply], notes: Sequence[str] = ()) -> Markup:
    """In the table's place: how many have ended, and nothing of any of them."""
    runs = any(reply.status in RUNNING for reply in replies.values())
    done = sum(lane in replies and replies[lane].ended for lane in blind.order)
    pill = tag("span", f"{done} of {len(blind.order)} ended", class_=f"lf-pill{' lf-running' if runs else ''}")
    card = tag("div", tag("p", pill, f" {TABLE} {TOGETHER if runs else ''}"), class_="lf-card lf-blind")
    return join(card, *(tag("p", note, class_="lf-note") for note in notes))


def blind_head(place: int, reply: Reply | None, *, shown: bool) -> Markup:
    """A lane's letter, and whether it answered."""
    said = "waiting" if not shown else "answered" if reply is not None and reply.text else "no answer"
    look = "lf-done" if said == "answered" else "lf-idle"
    pill = tag("span", said, class_=f"lf-pill {look}")
    return tag("div", tag("div", tag("h3", letter(place)), pill, class_="lf-lane-title"), class_="lf-lane-head")


def blind_foot() -> Markup:
    """In the place of the figures."""
    return tag("div", HIDDEN, class_="lf-lane-foot")


def blind_routing() -> Markup:
    """In the place of the routing suggestion."""
    body = tag("p", HIDDEN, class_="lf-sub")
    return tag("section", tag("h2", "Routing suggestion"), body, class_="lf-card lf-routing")


class Secrets:
    """The ids of comparisons whose names nobody has been told yet, the newest `limit` of them.

    They belong to the server and not to a browser tab: a reload, a link or another tab must not tell them either.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._ids: dict[str, None] = {}

    def __contains__(self, identity: object) -> bool:
        return identity in self._ids

    def add(self, identity: str) -> None:
        """Its names are hidden from now on."""
        self._ids[identity] = None
        while len(self._ids) > self._limit:
            del self._ids[next(iter(self._ids))]

    def tell(self, identities: Iterable[str | None]) -> None:
        """Their names may be told."""
        for identity in identities:
            if identity is not None:
                self._ids.pop(identity, None)
