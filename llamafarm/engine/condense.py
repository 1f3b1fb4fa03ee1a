"""A backlog of events made small, so that a slow reader costs neither memory nor a lane's time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from llamafarm.core.events import DELTAS, CostReported, Event, HeldBack, ReasoningDelta, TextDelta, UsageReported


def condensed(told: Iterable[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """The events of lanes, each with its lane's id, as fewer that fold into the same reply.

    Of a run of deltas and counts in one lane are kept: the first delta of each kind, since it is timed; the
    others of that kind as one, which came when the last did; the newest counts; and of pieces that are held back the
    first and the last. All other events stay, and so does the order within a lane.
    """
    kept: list[tuple[str, Event]] = []
    runs: dict[str, _Run] = {}
    for lane, event in told:
        run = runs.setdefault(lane, _Run())
        if not run.take(event):
            kept += ((lane, each) for each in run.events())
            kept.append((lane, event))
            runs[lane] = _Run()
    for lane, run in runs.items():
        kept += ((lane, each) for each in run.events())
    return kept


class _Run:
    """Events of one lane that may change places: none of them ends what the others belong to."""

    def __init__(self) -> None:
        self._taken = 0
        self._first: dict[type[Event], tuple[int, Event]] = {}
        self._newest: dict[type[Event], tuple[int, Event]] = {}
        self._texts: dict[type[Event], list[str]] = {}

    def take(self, event: Event) -> bool:
        """Whether `event` belongs to the run."""
        if not isinstance(event, TextDelta | ReasoningDelta | HeldBack | UsageReported | CostReported):
            return False
        kind, self._taken = type(event), self._taken + 1
        if isinstance(event, (*DELTAS, HeldBack)) and kind not in self._first:
            self._first[kind] = (self._taken, event)
            return True
        self._newest[kind] = (self._taken, event)
        if isinstance(event, DELTAS):
            self._texts.setdefault(kind, []).append(event.text)
        return True

    def events(self) -> list[Event]:
        """What stands for the run, each at the place of the last event that went into it."""
        whole = [
            (place, replace(event, text="".join(self._texts[kind])) if isinstance(event, DELTAS) else event)
            for kind, (place, event) in self._newest.items()
        ]
        placed = sorted([*self._first.values(), *whole], key=lambda each: each[0])
        return [event for _, event in placed]
