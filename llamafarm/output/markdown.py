"""Markdown: a comparison to read, or to paste where people discuss it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llamafarm.core import display
from llamafarm.core.characters import excerpt
from llamafarm.core.reply import Reply
from llamafarm.history.model import Ended, Recorded, Vote

_FENCES = re.compile("`{3,}")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def document(recorded: Recorded) -> str:
    """The comparison: what was asked, a table of its lanes, and each answer as it was written."""
    asked = recorded.asked
    project = f"{asked.project.namespace}/{asked.project.name}"
    parts = [
        f"## {_title(asked.prompt)}",
        f"{asked.started_at:%Y-%m-%d %H:%M} UTC · project {_plain(project)} · {asked.kind} `{asked.id}`",
        *_prompts(recorded),
        "\n".join(_table(recorded)),
        *([f"Vote: {_vote(recorded.vote)}."] if recorded.vote else ()),
        *(f"{spec.id}: never ended." for spec in recorded.unfinished),
        *(part for lane in recorded.lanes for part in _answer(lane)),
    ]
    return "\n\n".join(parts) + "\n\n"


def _title(prompt: str) -> str:
    return _plain(excerpt(prompt, 80)) or "(no prompt)"


def _prompts(recorded: Recorded) -> Iterator[str]:
    for message in recorded.asked.messages:
        yield f"**{message.role}**"
        yield _fenced(message.content)


def _table(recorded: Recorded) -> Iterator[str]:
    yield "| Lane | Answered by | Status | TTFT | Total | Tokens/s | In | Out | Cost | Source |"
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|---|"
    for lane in recorded.lanes:
        reply = lane.reply
        spans, usage, cost = reply.timings, reply.usage, reply.cost
        guessed = usage.output is not None and usage.output.source == "estimated"
        cells = (
            _plain(reply.lane),
            _plain(f"{reply.model} ({reply.provider} {reply.model_id})"),
            f"{reply.status}{' (staged fault)' if reply.staged else ''}{', shared' if reply.shared else ''}",
            _time(spans.ttft_s, display.lost(reply, reply.ttft_lost_s)),
            _time(spans.total_s, display.lost(reply, reply.lost_s)),
            _plain(display.speed(spans.tokens_per_s, estimated=guessed)),
            _plain(display.tokens(usage.input)),
            _plain(display.tokens(usage.output)),
            _plain(display.usd(cost.usd, estimated=cost.estimated)),
            cost.source,
        )
        yield f"| {' | '.join(cells)} |"


def _time(seconds: float | None, lost: str) -> str:
    return display.seconds(seconds) + (f" ({_plain(lost)})" if lost else "")


def _answer(lane: Ended) -> Iterator[str]:
    reply = lane.reply
    yield f"### {_plain(reply.lane)}"
    if reply.reasoning:
        yield "Reasoning:"
        yield _fenced(reply.reasoning)
    yield _fenced(reply.text) if reply.text else "(no text)"
    for call in reply.tool_calls:
        yield f"Tool call {_plain(call.name)}:"
        yield _fenced(call.arguments)
    if reply.failure:
        yield f"Failed: {_plain(display.why_failed(reply.failure))}"
    yield from _conditions(reply)
    if reply.cost.detail:
        yield f"Cost, fixed on {lane.priced_on}: {_plain(reply.cost.detail)}"


def _conditions(reply: Reply) -> Iterator[str]:
    """What one must know to compare its times with others."""
    if told := display.sharing(reply.sharing):
        yield f"Its server was shared {_plain(told)}."
    if told := display.lag(reply.timings):
        yield f"Mind the times: {_plain(told)}."
    if told := display.waited(reply.timings):
        yield f"It {_plain(told)}."
    if told := display.warm_ttft(reply.timings):
        yield f"TTFT: {_plain(told)}."
    if reply.warmup is not None:
        yield f"Warmed before, which counts apart: {_plain(display.warmup(reply.warmup))}."
    yield from map(_plain, display.remarks(reply))


def _vote(vote: Vote) -> str:
    words = {"best": f"{vote.lane} is the best", "tie": "a tie", "bad": "all are bad"}[vote.choice]
    return _plain(words) + (", blind" if vote.blind else "")


def _plain(text: str) -> str:
    """`text` on one line, without meaning to Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    """`text` as it is, inside a fence that it can't close."""
    longest = max((len(found) for found in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{text}\n{fence}"
