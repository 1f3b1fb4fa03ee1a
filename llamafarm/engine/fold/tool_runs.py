"""Folds a lane's tool events into its tool calls and the time that they took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llamafarm.core.events import Event, ToolCalled, ToolHeld, ToolReturned, ToolsOffered, ToolStarted
from llamafarm.core.reply import ToolRun, ToolState
from llamafarm.core.types import Tool, ToolCall


@dataclass(slots=True)
class ToolRuns:
    """Takes the events of tools one by one. Calls of functions that nobody offered are not ours, and left out.

    Time is counted once where calls run together: `tools_s` while one runs at least, `held_s` while one waits for a
    person and none runs.
    """

    offered: tuple[Tool, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    _runs: dict[str, ToolRun] = field(default_factory=dict)
    _began: dict[str, float] = field(default_factory=dict)
    _tools_s: float | None = None
    _held_s: float | None = None
    _since: float = 0.0

    def add(self, event: Event, turn: int, declared: frozenset[str] = frozenset()) -> None:
        """Take the next event, of turn `turn`; `declared` are functions that the asker answers."""
        self._count(event.at)
        match event:
            case ToolsOffered():
                self.offered, self.missing = event.tools, event.missing
                if event.seconds:
                    self._tools_s = (self._tools_s or 0.0) + event.seconds
            case ToolCalled(call=call):
                self._asked(call, turn, declared)
            case ToolHeld(call_id=call_id):
                self._become(call_id, "held")
            case ToolStarted(call_id=call_id):
                self._began[call_id] = event.at
                self._become(call_id, "running")
            case ToolReturned(call_id=call_id):
                state: ToolState = "denied" if event.denied else "failed" if event.is_error else "done"
                self._become(call_id, state, text=event.text, seconds=event.seconds)

    def ran_elsewhere(self, seconds: float) -> None:
        """Tools ran at the server that relays the answer."""
        if seconds:
            self._tools_s = (self._tools_s or 0.0) + seconds

    def end(self, at: float) -> None:
        """The lane has ended: what was to come does not come."""
        self._count(at)
        for call_id, run in self._runs.items():
            if run.pending:
                self._become(call_id, "stopped", seconds=self._ran(run, at))

    def runs(self, now: float) -> tuple[ToolRun, ...]:
        """All calls so far, in the order in which the model asked."""
        return tuple(replace(run, seconds=self._ran(run, now)) for run in self._runs.values())

    def spans(self, now: float) -> tuple[float | None, float | None]:
        """`tools_s` and `held_s` until `now`; None where there was none."""
        open_s = max(now - self._since, 0.0)
        tools_s, held_s = self._tools_s, self._held_s
        match self._doing():
            case "running":
                tools_s = (tools_s or 0.0) + open_s
            case "held":
                held_s = (held_s or 0.0) + open_s
        return tools_s, held_s

    @property
    def note(self) -> str:
        """What is being done, in words."""
        named = [f"{run.server}: {run.tool}" for run in self._runs.values() if run.state == "running"]
        if not named and any(run.state == "held" for run in self._runs.values()):
            return "a call waits for your word"
        return ", ".join(named)

    def _asked(self, call: ToolCall, turn: int, declared: frozenset[str]) -> None:
        tool = next((tool for tool in self.offered if tool.call_name == call.name), None)
        if tool is not None:
            self._runs[call.id] = ToolRun(call, turn, tool.server, tool.name)
        elif self.offered and call.name not in declared:
            self._runs[call.id] = ToolRun(call, turn)

    def _become(self, call_id: str, state: ToolState, *, text: str = "", seconds: float | None = None) -> None:
        if call_id in self._runs:
            self._runs[call_id] = replace(self._runs[call_id], state=state, text=text, seconds=seconds)

    def _ran(self, run: ToolRun, now: float) -> float | None:
        return now - self._began[run.call.id] if run.state == "running" else run.seconds

    def _doing(self) -> str:
        states = {run.state for run in self._runs.values()}
        return "running" if "running" in states else "held" if "held" in states else ""

    def _count(self, at: float) -> None:
        self._tools_s, self._held_s = self.spans(at)
        self._since = at
