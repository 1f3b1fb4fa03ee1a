"""A lane's reply as the values of its components, and what of them has changed. Pure."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from llamafarm.config.model import NamedModel
from llamafarm.core import display
from llamafarm.core.reply import Reply
from llamafarm.core.types import SentRequest
from llamafarm.ui.parts.cards import lane_foot, lane_head
from llamafarm.ui.parts.markdown import Views

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def lane_values(model: NamedModel, reply: Reply | None, views: Views, changed: Sequence[str] = ()) -> tuple[str, ...]:
    """The values of a slot's `live` components, in their order; `views` are those of the reply's question."""
    head, foot = lane_head(model, reply, changed), lane_foot(reply)
    if reply is None:
        return head, "", "", foot, head, "", "", foot, ""
    answer, reasoning = views.answer(reply), views.reasoning(reply)
    return head, reasoning, answer, foot, head, reasoning, answer, foot, request_text(reply.sent)


def reasoning_title(reply: Reply) -> str:
    """What the folded reasoning tells: its tokens, and how long it took until the answer began."""
    spans = reply.timings
    took = None if spans.ttfr_s is None or spans.ttft_s is None else spans.ttft_s - spans.ttfr_s
    facts = [
        f"{display.tokens(reply.usage.reasoning)} tokens" if reply.usage.reasoning else "",
        display.seconds(took) if took is not None else "",
    ]
    return " · ".join(["Reasoning", *(fact for fact in facts if fact)])


def request_text(sent: SentRequest | None) -> str:
    """The request as JSON for people: method, address, headers (keys hidden) and body."""
    if sent is None:
        return ""
    shown = {"method": sent.method, "url": sent.url, "headers": dict(sent.headers), "body": sent.body}
    return json.dumps(shown, indent=2, ensure_ascii=False)


class Changes(Generic[K, V]):
    """Lets through only what differs from what was let through before."""

    def __init__(self) -> None:
        self._last: dict[K, V] = {}

    def of(self, values: Mapping[K, V]) -> dict[K, V]:
        """The entries of `values` that are new or have changed."""
        missing = object()
        fresh = {key: value for key, value in values.items() if self._last.get(key, missing) != value}
        self._last.update(fresh)
        return fresh
