"""The batch tab: what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from llamafarm.ui.compare.lane_panel import html

PASTED = "prompt,expected\nWhat is the capital of France?,Paris"
CHECKS = "contains:Paris   regex:^\\w+$   json   number:3.14±0.01"


@dataclass(frozen=True, slots=True)
class BatchTab:
    """The tab's components; `inputs` are those that a job is read from, in the order of `batchjob.Inputs`."""

    tab: gr.Tab
    choose: gr.Button
    uploaded: gr.JSON
    chosen: gr.HTML
    pasted: gr.Textbox
    template: gr.Textbox
    checks: gr.Textbox
    max_tokens: gr.Number
    at_once: gr.Number
    skip_bad: gr.Checkbox
    fair: gr.Checkbox
    earlier: gr.Dropdown
    plan: gr.Button
    start: gr.Button
    stop: gr.Button
    planned: gr.HTML
    progress: gr.HTML
    results: gr.HTML

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What a job is read from."""
        return [
            self.pasted, self.template, self.checks, self.max_tokens, self.at_once,
            self.skip_bad, self.fair, self.earlier,
        ]  # fmt: skip


def build_batch() -> BatchTab:
    """Build the tab inside the current Tabs."""
    with gr.Tab("Batch", id="batch", elem_id="batch") as tab:
        html(
            "<p>Asks the models that are chosen under Compare every prompt of a file. Answers are kept as they end, "
            "so that a batch which was stopped goes on later.</p>"
        )
        with gr.Row(elem_id="batch-file"):
            choose = gr.Button("Choose a file…", size="sm", min_width=120, elem_id="batch-choose")
            chosen = html(elem_id="batch-chosen")
        uploaded = gr.JSON(visible=False)
        pasted = gr.Textbox(
            label="or paste it: a prompt a line, CSV with a column prompt, or JSON Lines",
            placeholder=PASTED,
            lines=3,
            max_lines=10,
            elem_id="batch-pasted",
        )
        with gr.Row():
            template = gr.Textbox(
                label="Prompt for all rows", placeholder="empty: the column prompt; else e.g. Where is {{city}}?",
                lines=2, elem_id="batch-template",
            )  # fmt: skip
            checks = gr.Textbox(label="Checks, one a line", placeholder=CHECKS, lines=2, elem_id="batch-checks")
        with gr.Row():
            tokens = gr.Number(256, label="Max tokens", precision=0, minimum=1, min_width=90, elem_id="batch-tokens")
            at_once = gr.Number(
                8, label="Calls at once at a server", precision=0, minimum=1, min_width=90, elem_id="batch-at-once"
            )
            earlier = gr.Dropdown(
                [("a new batch", "")], value="", label="Go on with", allow_custom_value=True, elem_id="batch-earlier"
            )
        with gr.Row():
            skip = gr.Checkbox(value=False, label="Pass over rows that can't be asked", elem_id="batch-skip")
            fair = gr.Checkbox(
                value=False, label="One at a time, warmed: times that may be compared", elem_id="batch-fair"
            )
        with gr.Row():
            plan = gr.Button("Plan", size="sm", min_width=90, elem_id="batch-plan")
            start = gr.Button("Start", size="sm", min_width=90, variant="primary", elem_id="batch-start")
            stop = gr.Button("Stop", size="sm", min_width=90, interactive=False, elem_id="batch-stop")
        planned, progress, results = (html(elem_id=f"batch-{name}") for name in ("planned", "progress", "results"))
    return BatchTab(
        tab, choose, uploaded, chosen, pasted, template, checks, tokens, at_once, skip, fair, earlier,
        plan, start, stop, planned, progress, results,
    )  # fmt: skip
