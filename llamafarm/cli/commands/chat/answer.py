"""One question to one model, told as the answer comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from llamafarm.cli.terminal.lines import (
    call_line,
    failure_line,
    missing_line,
    route_line,
    run_line,
    setback_line,
    waiting_line,
)
from llamafarm.cli.terminal.screen import RED, YELLOW, Screen
from llamafarm.cli.terminal.stop import Stop
from llamafarm.config.model import Project
from llamafarm.core.events import (
    Event,
    FellBack,
    NextTurn,
    ReasoningDelta,
    Reclassified,
    Reconnected,
    Relayed,
    Retrying,
    TextDelta,
    ToolCalled,
    ToolReturned,
    ToolsOffered,
)
from llamafarm.core.reply import Reply
from llamafarm.engine.comparison import LaneEvent
from llamafarm.engine.lane import Lane, Question
from llamafarm.engine.recording import Origin
from llamafarm.runtime import Runtime

HEARTBEAT_S = 0.5


@dataclass(slots=True)
class Teller:
    """Tells one answer on a screen. `text`: the answer and its reasoning too, as they come."""

    screen: Screen
    text: bool = True
    _relayed: bool = False
    _told: bool = False
    _turned: bool = False

    def tell(self, events: Sequence[Event]) -> None:
        """What has happened, in order."""
        for event in events:
            match event:
                case TextDelta(text=text) if self.text:
                    if self._told and self._turned:  # as the reply joins the texts of its turns
                        self.screen.paragraph()
                    self._told, self._turned = True, False
                    self.screen.answer(text)
                case NextTurn():
                    self._turned = True
                case Reclassified() if self.text:
                    self.screen.note("what was told until here was the model's reasoning", YELLOW)
                case ReasoningDelta(text=text) if self.text:
                    self.screen.reasoning(text)
                case ToolsOffered() | ToolCalled() | ToolReturned():
                    self._tool(event)
                case Retrying() | Reconnected() | FellBack():
                    self.screen.note(setback_line(event), YELLOW)
                case Relayed():
                    self._relay(event)

    def _tool(self, event: ToolsOffered | ToolCalled | ToolReturned) -> None:
        """What is called, and what comes of it; and why the tools of a server are not there."""
        match event:
            case ToolsOffered(missing=missing):
                for server, why in missing.items():
                    self.screen.note(missing_line(server, why), YELLOW)
            case ToolCalled(call=call):
                self.screen.note(call_line(call))
            case ToolReturned():
                state = "denied" if event.denied else "failed" if event.is_error else "done"
                name = f"{event.server}: {event.tool}" if event.server else event.call_id
                self.screen.note(run_line(name, state, event.seconds, event.text))

    def _relay(self, told: Relayed) -> None:
        """What a server tells of the way to its answer: once, although it tells it again at the end."""
        if self._relayed:
            return
        self._relayed = True
        if told.route is not None and (line := route_line(told.route)):
            self.screen.note(line)
        for step in told.fallbacks:
            self.screen.note(setback_line(step), YELLOW)

    def end(self, reply: Reply, *, whole: bool) -> None:
        """The answer is over; `whole`: nothing of its text was told yet."""
        if whole:
            self.screen.reasoning(reply.reasoning)
            self.screen.answer(reply.text)
        self.screen.end()
        if reply.failure is not None:
            self.screen.note(f"lf: {failure_line(reply.failure)}", RED)


async def ask(runtime: Runtime, project: Project, lane: Lane, question: Question, teller: Teller, stop: Stop) -> Reply:
    """The reply of `lane`, told while it comes; `stop` stops it, here and at the server.

    What is told is written in a thread, so that a slow reader of it changes none of the measurements. Raises
    BrokenPipeError where the answer's reader has gone; then too the server stops.
    """
    async with runtime.compare(project, (lane,), question, origin=Origin(kind="chat")) as comparison:
        with stop.stops(comparison.stop):
            async with aclosing(comparison.batches(heartbeat_s=HEARTBEAT_S)) as batches:
                shown = time.monotonic()
                async for batch in batches:
                    await asyncio.to_thread(teller.tell, _merged(batch))
                    if not batch or (not teller.text and time.monotonic() - shown > HEARTBEAT_S):
                        await asyncio.to_thread(teller.screen.status, waiting_line(comparison.reply(lane.id)))
                        shown = time.monotonic()
    return comparison.reply(lane.id)


def _merged(batch: Sequence[LaneEvent]) -> list[Event]:
    """The events of a batch, neighbouring pieces of text as one."""
    events: list[Event] = []
    for event in (told.event for told in batch):
        last = events[-1] if events else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            events[-1] = TextDelta(at=last.at, text=last.text + event.text)
        elif isinstance(event, ReasoningDelta) and isinstance(last, ReasoningDelta):
            events[-1] = ReasoningDelta(at=last.at, text=last.text + event.text)
        else:
            events.append(event)
    return events
