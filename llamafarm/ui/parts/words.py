"""The page's words for states and sources. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from llamafarm.core import display
from llamafarm.core.characters import excerpt
from llamafarm.core.conditions import CautionKind
from llamafarm.core.reply import LaneStatus, Reply
from llamafarm.core.types import REPEATED, CostSource
from llamafarm.ui.parts.markup import Markup, tag

SOURCES: dict[CostSource, str] = {
    "reported": "server",
    "config": "project file",
    "table": "price table",
    "free": "runs here",
    "unknown": "",
}
STATES: dict[LaneStatus, str] = {
    "idle": "ready",
    "waiting": "waiting",
    "warming": "warming the model",
    "loading": "loading the model",
    "thinking": "thinking",
    "streaming": "streaming",
    "calling": "calling tools",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
}
RUNNING: tuple[LaneStatus, ...] = ("waiting", "warming", "loading", "thinking", "streaming", "calling")
LONGEST = 80  # letters of what a lane waits for
ENDINGS = {
    "length": "cut at the token limit",
    REPEATED: "cut: it repeated itself",
    "content_filter": "cut by a content filter",
    "tool_calls": "asks for a tool",
    "tool_turns": "asked for tools until its bound",
}


CAUTIONS: dict[CautionKind, str] = {
    "prompt_cut": "prompt cut?",
    "answer_cut": "answer cut?",
    "repeated": "repeats itself",
    "tools_ignored": "tools not told",
    "other_model": "another model",
}


def state(reply: Reply) -> str:
    """What the lane is doing, in a word or two."""
    return reply.note if reply.status == "idle" and reply.note else STATES[reply.status]


def ending(reply: Reply) -> str:
    """How the answer ended, where that must be seen: cut, partial, or empty; what it waits for, while it does."""
    if reply.status in ("waiting", "warming"):
        return excerpt(reply.note, LONGEST)
    if reply.status in ("stopped", "failed") and (reply.text or reply.reasoning):
        return "partial answer"
    if reply.status == "done" and not (reply.text or reply.tool_calls):
        return "empty answer"
    return ENDINGS.get(reply.finish_reason or "", "") if reply.status == "done" else ""


def status_pill(reply: Reply) -> Markup:
    """The state as a coloured pill; the colour only repeats what the word says."""
    runs = " lf-running" if reply.status in RUNNING else ""
    return tag("span", state(reply), class_=f"lf-pill lf-{reply.status}{runs}", title=reply.note or None)


def caution_chips(reply: Reply) -> list[Markup]:
    """Why an answer is not what it looks like."""
    return [tag("span", CAUTIONS[each.kind], class_="lf-chip lf-warn", title=each.text) for each in reply.cautions]


def changed_chips(changed: Sequence[str]) -> list[Markup]:
    """The parameters that were asked with and are not the project's."""
    return [tag("span", each, class_="lf-chip lf-changed", title="Not as in the project file") for each in changed]


def late_chip(reply: Reply) -> Markup | None:
    """That the playground itself was late, so that times of this lane may be too long."""
    told = display.lag(reply.timings)
    return tag("span", "late", class_="lf-chip lf-warn", title=f"{told[0].upper()}{told[1:]}.") if told else None


def shared_chip(reply: Reply) -> Markup | None:
    """That other requests were at the server meanwhile; milder where it serves many anyway."""
    if reply.sharing is None or not reply.sharing.others:
        return None
    look = "lf-chip" if reply.sharing.hosted else "lf-chip lf-warn"
    return tag("span", "shared", class_=look, title=f"Shared {display.sharing(reply.sharing)}")
