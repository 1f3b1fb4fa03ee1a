"""Two comparisons side by side: what was asked differently, and each lane's answers and figures. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from llamafarm.core import display
from llamafarm.core.characters import excerpt
from llamafarm.core.reply import Reply
from llamafarm.core.types import JsonValue
from llamafarm.history.diff import Change, Difference, LaneDifference
from llamafarm.history.model import Recorded
from llamafarm.ui.history.list import link, when
from llamafarm.ui.parts.cards import summary
from llamafarm.ui.parts.markup import Markup, join, tag

LONGEST = 600
NAMES = {
    "project_digest": "project file",
    "answered_by": "answered by",
    "model_id": "model id",
    "finish_reason": "finish reason",
    "tool_calls": "tool calls",
}
Figure = tuple[str, Callable[[Reply], str]]


def _speed(reply: Reply) -> str:
    made = reply.usage.output
    return display.speed(reply.timings.tokens_per_s, estimated=made is not None and made.source == "estimated")


FIGURES: Mapping[str, Figure] = {
    "ttft_s": ("TTFT", lambda reply: display.seconds(reply.timings.ttft_s)),
    "queue_s": ("Waited here", lambda reply: display.seconds(reply.timings.queue_s)),
    "server_queue_s": ("Waited at the server", lambda reply: display.seconds(reply.timings.server_queue_s)),
    "load_s": ("Loading", lambda reply: display.seconds(reply.timings.load_s)),
    "total_s": ("Total", lambda reply: display.seconds(reply.timings.total_s)),
    "retries": ("Failed tries", lambda reply: str(len(reply.retries))),
    "reconnects": ("Closed connections", lambda reply: str(reply.reconnects)),
    "lost_s": ("Lost", lambda reply: display.lost(reply, reply.lost_s) or display.NOTHING),
    "lag_s": ("Late", lambda reply: display.lag(reply.timings) or display.NOTHING),
    "tokens_per_s": ("Tokens/s", _speed),
    "input_tokens": ("In", lambda reply: display.tokens(reply.usage.input)),
    "output_tokens": ("Out", lambda reply: display.tokens(reply.usage.output)),
    "cost_usd": ("Cost", lambda reply: display.usd(reply.cost.usd, estimated=reply.cost.estimated)),
    "cost_source": ("Source of the cost", lambda reply: reply.cost.source),
}


def difference_view(first: Recorded, second: Recorded, found: Difference) -> Markup:
    """`second` beside `first`."""
    verdict = "The same was asked and answered." if found.same else "They differ."
    alike = "The same was asked." if not found.asked else None
    return tag(
        "section",
        tag("div", tag("h2", "Two comparisons"), tag("span", verdict, class_="lf-chip"), class_="lf-lane-title"),
        tag("div", _side("First", first), _side("Second", second), class_="lf-two"),
        tag("p", alike, class_="lf-note") if alike else _changes("What was asked differently", found.asked),
        *(_lane(lane, first, second) for lane in found.lanes),
        class_="lf-opened",
    )


def _side(name: str, recorded: Recorded) -> Markup:
    asked = recorded.asked
    opens = tag("a", when(asked.started_at), href=link(asked.id), data_comparison=asked.id)
    return tag("div", tag("strong", f"{name}: "), opens, tag("pre", asked.prompt), class_="lf-card")


def _lane(lane: LaneDifference, first: Recorded, second: Recorded) -> Markup:
    words = "the same" if lane.same else "differs" if lane.presence == "both" else f"only in the {lane.presence}"
    return tag(
        "section",
        tag("div", tag("h3", lane.lane), tag("span", words, class_="lf-chip"), class_="lf-lane-title"),
        tag("div", _answer(first, lane.lane), _answer(second, lane.lane), class_="lf-two"),
        _changes("Settings", lane.settings),
        _changes("Outcome", lane.outcome),
        _figures(lane, first, second),
        _lines(lane.text),
        class_="lf-card",
    )


def _answer(recorded: Recorded, lane: str) -> Markup:
    reply = recorded.replies.get(lane)
    if reply is None:
        return tag("div", tag("p", "No answer.", class_="lf-sub"))
    return tag("div", tag("p", summary(reply), class_="lf-sub"), tag("pre", reply.text))


def _changes(title: str, changes: Iterable[Change]) -> Markup | None:
    return _pairs(title, [(NAMES.get(c.name, c.name), _written(c.first), _written(c.second)) for c in changes])


def _figures(lane: LaneDifference, first: Recorded, second: Recorded) -> Markup | None:
    """The figures that differ, as they are written everywhere: `~` marks an estimate."""
    before, after = first.replies.get(lane.lane), second.replies.get(lane.lane)
    if before is None or after is None:
        return None
    known = [FIGURES[change.name] for change in lane.figures]
    return _pairs("Figures, which differ from run to run", [(name, of(before), of(after)) for name, of in known])


def _pairs(title: str, pairs: Iterable[tuple[str, str, str]]) -> Markup | None:
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", a), tag("td", b)) for name, a, b in pairs]
    if not rows:
        return None
    head = tag("tr", *(tag("th", name, scope="col") for name in ("", "First", "Second")))
    return join(tag("h4", title), tag("div", tag("table", head, *rows, class_="lf-changes"), class_="lf-table-wrap"))


def _written(value: JsonValue) -> str:
    if value is None or value == "":
        return display.NOTHING
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return excerpt(words, LONGEST)


def _lines(text: Iterable[str]) -> Markup | None:
    signs = {"+": "lf-added", "-": "lf-removed"}
    lines = [tag("span", f"{line}\n", class_=signs.get(line[:1])) for line in text]
    if not lines:
        return None
    return tag("details", tag("summary", "The answers, line by line"), tag("pre", *lines, class_="lf-diff"))
