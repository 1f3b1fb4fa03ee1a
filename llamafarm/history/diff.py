"""Two comparisons beside each other: what was asked differently, and how each lane's answer differs. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from llamafarm.core.reply import Reply
from llamafarm.core.types import Count, JsonValue
from llamafarm.history.model import Asked, Ended, Recorded

Presence = Literal["both", "first", "second"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; a figure that one side does not have is None there."""

    name: str
    first: JsonValue
    second: JsonValue


@dataclass(frozen=True, slots=True)
class LaneDifference:
    """A lane of either comparison.

    `presence` tells on which sides it ended. `settings` is what was asked of it differently, `outcome` what came of it
    differently but for times and tokens, and those are `figures`: they differ from run to run. `text` is the answers'
    unified diff by line, empty where they are alike.
    """

    lane: str
    presence: Presence
    settings: tuple[Change, ...] = ()
    outcome: tuple[Change, ...] = ()
    figures: tuple[Change, ...] = ()
    text: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the same was asked and answered, whatever the figures."""
        return self.presence == "both" and not (self.settings or self.outcome or self.text)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two comparisons; `lanes` are all of both, in the first one's order."""

    asked: tuple[Change, ...]
    lanes: tuple[LaneDifference, ...]

    @property
    def same(self) -> bool:
        """Whether the same was asked and answered in all lanes, whatever the figures."""
        return not self.asked and all(lane.same for lane in self.lanes)


def difference(first: Recorded, second: Recorded) -> Difference:
    """`second` as seen from `first`. Lanes belong together by their ids."""
    before = {lane.spec.id: lane for lane in first.lanes}
    after = {lane.spec.id: lane for lane in second.lanes}
    lanes = tuple(_lane(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after]))
    return Difference(tuple(_changes(_question(first.asked), _question(second.asked))), lanes)


def _lane(name: str, before: Ended | None, after: Ended | None) -> LaneDifference:
    if before is None or after is None:
        return LaneDifference(name, "second" if before is None else "first")
    return LaneDifference(
        lane=name,
        presence="both",
        settings=tuple(_changes(_settings(before), _settings(after))),
        outcome=tuple(_changes(_outcome(before.reply), _outcome(after.reply))),
        figures=tuple(_changes(_figures(before.reply), _figures(after.reply))),
        text=tuple(_text(before.reply.text, after.reply.text)),
    )


def _changes(first: Mapping[str, JsonValue], second: Mapping[str, JsonValue]) -> Iterator[Change]:
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield Change(name, first.get(name), second.get(name))


def _question(asked: Asked) -> dict[str, JsonValue]:
    return {
        "project": f"{asked.project.namespace}/{asked.project.name}",
        "project_digest": asked.project.digest,
        "messages": "\n".join(f"{message.role}: {message.content}" for message in asked.messages),
        "images": [image.data for message in asked.messages for image in message.images],
        "system": asked.system,
        **{f"variable {name}": value for name, value in asked.variables.items()},
        **{f"parameter {name}": value for name, value in asked.parameters.items()},
        "tools": [dict(tool) for tool in asked.tools],
        **{f"route by {route.strategy}": route.model for route in asked.routes},
    }


def _settings(lane: Ended) -> dict[str, JsonValue]:
    """What was sent with the question; the project's own prompts are part of its file, and that has a digest."""
    return {
        "model": lane.spec.model,
        "system": lane.spec.system,
        "history": "\n".join(f"{message.role}: {message.content}" for message in lane.spec.history),
        **{f"parameter {name}": value for name, value in lane.parameters.items()},
    }


def _outcome(reply: Reply) -> dict[str, JsonValue]:
    return {
        "answered_by": reply.model,
        "provider": reply.provider,
        "model_id": reply.model_id,
        "status": reply.status,
        "finish_reason": reply.finish_reason,
        "reasoning": reply.reasoning,
        "tool_calls": [f"{call.name}({call.arguments})" for call in reply.tool_calls],
        "error": reply.failure.message if reply.failure else None,
        "culprit": reply.failure.culprit if reply.failure else None,
    }


def _figures(reply: Reply) -> dict[str, JsonValue]:
    spans, usage = reply.timings, reply.usage
    late = spans.ttft_doubtful or spans.total_doubtful
    return {
        "ttft_s": spans.ttft_s,
        "queue_s": spans.queue_s,
        "server_queue_s": spans.server_queue_s,
        "load_s": spans.load_s,
        "total_s": spans.total_s,
        "retries": len(reply.retries),
        "reconnects": reply.reconnects,
        "lost_s": reply.lost_s,
        "lag_s": spans.lag_s if late else None,
        "tokens_per_s": spans.tokens_per_s,
        "input_tokens": _value(usage.input),
        "output_tokens": _value(usage.output),
        "cost_usd": None if reply.cost.usd is None else str(reply.cost.usd),
        "cost_source": reply.cost.source,
    }


def _value(count: Count | None) -> int | None:
    return None if count is None else count.value


def _text(first: str, second: str) -> Iterator[str]:
    lines = difflib.unified_diff(first.split("\n"), second.split("\n"), "first", "second", lineterm="")
    return (line for number, line in enumerate(lines) if number > 1)  # without the two headers
