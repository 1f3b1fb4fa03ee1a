"""The fallback theatre: faults that are staged for this browser tab alone, so that a chain can be watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llamafarm.config.model import NamedModel
from llamafarm.core.types import Fault
from llamafarm.ui.sessions import MAX_LANES

NONE = "none"
FAULTS: tuple[tuple[str, str], ...] = (
    ("works", NONE),
    ("connection refused", "refused"),
    ("429, rate limit", "429"),
    ("500, server error", "500"),
    ("time-out", "timeout"),
    ("cut in mid-stream", "cut"),
)
KINDS: Mapping[str, Fault] = {
    "refused": "refused",
    "429": "429",
    "500": "500",
    "timeout": "timeout",
    "cut": "cut",
}
ABOUT = (
    "Makes models fail on purpose, in this browser tab alone, so that you can show how the chain of "
    "`fallback` reacts. What is staged is marked in every lane, table and export."
)


@dataclass(frozen=True, slots=True)
class Theatre:
    """The switch, and a choice for each seat that is seen while it is on."""

    on: gr.Checkbox
    seats: gr.Row
    faults: tuple[gr.Dropdown, ...]

    @property
    def inputs(self) -> list[gr.Checkbox | gr.Dropdown]:
        """What Send and Retry read: the switch, then the seats in order."""
        return [self.on, *self.faults]


def build_theatre() -> Theatre:
    """Build the panel inside the current Blocks."""
    with gr.Accordion("Fallback theatre", open=False, elem_id="theatre"):
        gr.Markdown(ABOUT, elem_classes=["lf-sub"], container=False)
        on = gr.Checkbox(label="Stage faults in this tab", elem_id="theatre-on")
        with gr.Row(visible=False, elem_id="theatre-seats") as seats:
            faults = tuple(
                gr.Dropdown(list(FAULTS), value=NONE, visible=False, min_width=170, elem_id=f"fault-{index}")
                for index in range(MAX_LANES)
            )
    on.input(
        lambda value: gr.Row(visible=value),
        [on],
        [seats],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
    return Theatre(on, seats, faults)


def theatre_updates(theatre: Theatre, seats: Sequence[NamedModel], before: Sequence[NamedModel] = ()) -> dict[Any, Any]:
    """A choice for each model that sits on the page; where another sat `before`, set back to what works."""
    updates: dict[Any, Any] = {}
    for index, fault in enumerate(theatre.faults):
        model = seats[index] if index < len(seats) else None
        if model is None:
            updates[fault] = gr.Dropdown(visible=False)
        elif index >= len(before) or before[index] != model:
            updates[fault] = gr.Dropdown(label=model.name, visible=True, value=NONE)
    return updates


def staged(on: bool, chosen: Sequence[str], seats: Sequence[NamedModel]) -> dict[str, Fault] | None:  # noqa: FBT001 - a checkbox's value
    """The faults by named model; None while the theatre is off."""
    if not on:
        return None
    return {model.name: KINDS[kind] for model, kind in zip(seats, chosen, strict=False) if kind in KINDS}
