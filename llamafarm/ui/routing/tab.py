"""The Routing page: what stands on it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from llamafarm.ui.compare.lane_panel import html


@dataclass(frozen=True, slots=True)
class RoutingTab:
    """The page's components."""

    tab: gr.Tab
    state: gr.HTML
    dial: gr.Slider
    dialled: gr.HTML
    patch: gr.HTML
    show: gr.Button
    write: gr.Button
    following: gr.HTML
    regret: gr.HTML

    @property
    def told(self) -> list[gr.components.Component]:
        """All that opening the page fills."""
        return [self.state, self.dialled, self.following, self.regret, self.patch]


def build_routing() -> RoutingTab:
    """Build the page inside the current Tabs."""
    with gr.Tab("Routing", id="router", elem_id="router") as tab:
        html(
            "<p>Which of your models would do for which of your prompts, learnt from your own votes and checks; how "
            "sure that is, and what it saves.</p>"
        )
        state = html(elem_id="routing-state")
        dial = gr.Slider(
            0, 100, value=0, step=1, label="Quality ↔ cost: 0 asks for the best, 100 for the cheapest",
            elem_id="routing-dial",
        )  # fmt: skip
        dialled = html(elem_id="routing-dialled")
        with gr.Row():
            show = gr.Button("Show it as a patch", size="sm", min_width=120, elem_id="routing-show")
            write = gr.Button("Write it into the file", size="sm", min_width=120, elem_id="routing-write")
        patch = html(elem_id="routing-patch")
        following, regret = html(elem_id="routing-next"), html(elem_id="routing-regret")
    return RoutingTab(tab, state, dial, dialled, patch, show, write, following, regret)
