"""The page's words for states and sources. Pure."""

from __future__ import annotations

from llamafarm.types import CostSource, LaneStatus, Reply
from llamafarm.ui.markup import Markup, tag

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
    "loading": "loading the model",
    "thinking": "thinking",
    "streaming": "streaming",
    "done": "done",
    "stopped": "stopped",
    "failed": "failed",
}
ENDINGS = {
    "length": "cut at the limit of tokens",
    "content_filter": "cut by a content filter",
    "tool_calls": "asks for a tool",
}


def state(reply: Reply) -> str:
    """What the lane is doing, in a word or two."""
    if reply.status == "done" and reply.finish_reason in ENDINGS:
        return f"done, {ENDINGS[reply.finish_reason]}"
    if reply.status in ("stopped", "failed") and (reply.text or reply.reasoning):
        return f"{STATES[reply.status]}, partial"
    if reply.status == "idle" and reply.note:
        return reply.note
    return STATES[reply.status]


def status_pill(reply: Reply) -> Markup:
    """The state as a coloured pill; the colour only repeats what the word says."""
    return tag("span", state(reply), class_=f"lf-pill lf-{reply.status}", title=reply.note or None)
