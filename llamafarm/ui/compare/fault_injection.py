"""The fault injection: faults that are staged for this browser tab alone, so that a chain can be watched."""

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
class FaultInjectionPanel:
    """The switch, and a choice for each seat that is seen while it is on."""

    on: gr.Checkbox
    panel_models: gr.Row
    faults: tuple[gr.Dropdown, ...]

    @property
    def inputs(self) -> list[gr.Checkbox | gr.Dropdown]:
        """What Send and Retry read: the switch, then the seats in order."""
        return [self.on, *self.faults]


def build_fault_panel() -> FaultInjectionPanel:
    """Build the panel inside the current Blocks."""
    with gr.Accordion("Fault injection", open=False, elem_id="fault-injection"):
        gr.Markdown(ABOUT, elem_classes=["lf-sub"], container=False)
        on = gr.Checkbox(label="Make models fail in this tab", elem_id="inject-faults")
        with gr.Row(visible=False, elem_id="faults") as panel_models:
            faults = tuple(
                gr.Dropdown(list(FAULTS), value=NONE, visible=False, min_width=170, elem_id=f"fault-{index}")
                for index in range(MAX_LANES)
            )
    on.input(
        lambda value: gr.Row(visible=value),
        [on],
        [panel_models],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
    return FaultInjectionPanel(on, panel_models, faults)


def fault_updates(
    fault_panel: FaultInjectionPanel, panel_models: Sequence[NamedModel], before: Sequence[NamedModel] = ()
) -> dict[Any, Any]:
    """A choice for each model that sits on the page; where another sat `before`, set back to what works."""
    updates: dict[Any, Any] = {}
    for index, fault in enumerate(fault_panel.faults):
        model = panel_models[index] if index < len(panel_models) else None
        if model is None:
            updates[fault] = gr.Dropdown(visible=False)
        elif index >= len(before) or before[index] != model:
            updates[fault] = gr.Dropdown(label=model.name, visible=True, value=NONE)
    return updates


def staged(on: bool, chosen: Sequence[str], panel_models: Sequence[NamedModel]) -> dict[str, Fault] | None:  # noqa: FBT001 - a checkbox's value
    """The faults by named model; None while the panel is off."""
    if not on:
        return None
    return {model.name: KINDS[kind] for model, kind in zip(panel_models, chosen, strict=False) if kind in KINDS}
