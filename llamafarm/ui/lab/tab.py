"""The temperature lab's tab: what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from llamafarm.experiments.stats.guidelines import GUIDELINES
from llamafarm.ui.compare.lane_panel import html

TASKS = [(f"{guide.task} ({guide.low:g} to {guide.high:g})", guide.key) for guide in GUIDELINES]
PARAMETERS = ["temperature", "top_p", "top_k", "max_tokens", "repeat_penalty", "frequency_penalty", "presence_penalty"]
RUBRIC = "The answer is correct, follows the question, and is well written."
CHECKS = "contains:Paris   equals:42   regex:^\\w+$   json   number:3.14±0.01"


@dataclass(frozen=True, slots=True)
class Lab:
    """The tab's components; `inputs` are those that a grid is read from, in the order of `labgrid.Inputs`."""

    tab: gr.Tab
    earlier: gr.Dropdown
    show: gr.Button
    resume: gr.Button
    task: gr.Dropdown
    parameter: gr.Dropdown
    values: gr.Textbox
    repeats: gr.Number
    max_tokens: gr.Number
    at_once: gr.Number
    fair: gr.Checkbox
    prompts: gr.Textbox
    checks: gr.Textbox
    judge: gr.Textbox
    rubric: gr.Textbox
    plan: gr.Button
    start: gr.Button
    stop: gr.Button
    planned: gr.HTML
    progress: gr.HTML
    findings: gr.HTML
    report: gr.HTML
    patch: gr.HTML
    apply: gr.Button

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What a grid is read from."""
        return [
            self.task, self.parameter, self.values, self.repeats, self.max_tokens,
            self.at_once, self.fair, self.prompts, self.checks, self.judge, self.rubric,
        ]  # fmt: skip


def build_lab() -> Lab:
    """Build the tab inside the current Tabs."""
    with gr.Tab("Temperature lab", id="lab", elem_id="lab") as tab:
        html(
            "<p>Asks the models that are chosen under Compare many times, and measures how the answers agree, "
            "differ and pass checks.</p>"
        )
        with gr.Row(elem_id="lab-past"):
            earlier = gr.Dropdown(
                [], label="Earlier sweeps of this project", scale=4, min_width=240, elem_id="lab-earlier"
            )
            show = gr.Button("Show what it found", size="sm", min_width=130, elem_id="lab-show")
            resume = gr.Button("Resume it", size="sm", min_width=90, elem_id="lab-resume")
        with gr.Row():
            task = gr.Dropdown([("none", ""), *TASKS], value="factual", label="Task", elem_id="lab-task")
            parameter = gr.Dropdown(
                PARAMETERS, value="temperature", label="Parameter", allow_custom_value=True, elem_id="lab-parameter"
            )
            values = gr.Textbox(
                label="Values, with commas", placeholder="the task's range", max_lines=1, elem_id="lab-values"
            )
        with gr.Row():
            repeats = gr.Number(5, label="Repeats", precision=0, minimum=1, min_width=90, elem_id="lab-repeats")
            tokens = gr.Number(64, label="Max tokens", precision=0, minimum=1, min_width=90, elem_id="lab-tokens")
            at_once = gr.Number(
                4, label="Calls at once at a server", precision=0, minimum=1, min_width=90, elem_id="lab-at-once"
            )
            fair = gr.Checkbox(
                label="One at a time, warmed",
                info="Times that may be compared; takes longer.",
                elem_id="lab-fair",
                min_width=180,
            )
        prompts = gr.Textbox(
            label="Prompts, one a line, or CSV, or JSON Lines",
            placeholder='empty: the prompt under Compare; {"prompt": "Capital of France?", "expected": "Paris"}',
            lines=2,
            elem_id="lab-prompts",
        )
        with gr.Row():
            checks = gr.Textbox(label="Checks, one a line", placeholder=CHECKS, lines=2, elem_id="lab-checks")
            judge = gr.Textbox(label="Judge (a named model)", max_lines=1, elem_id="lab-judge")
            rubric = gr.Textbox(label="Rubric", placeholder=RUBRIC, lines=2, elem_id="lab-rubric")
        with gr.Row():
            plan = gr.Button("Plan", size="sm", min_width=90, elem_id="lab-plan")
            start = gr.Button("Start", size="sm", min_width=90, variant="primary", elem_id="lab-start")
            stop = gr.Button("Stop", size="sm", min_width=90, interactive=False, elem_id="lab-stop")
        planned, progress = html(elem_id="lab-planned"), html(elem_id="lab-progress")
        report, findings, patch = html(elem_id="lab-report"), html(elem_id="lab-findings"), html(elem_id="lab-patch")
        apply = gr.Button("Apply to the file", size="sm", interactive=False, elem_id="lab-apply")
    return Lab(
        tab, earlier, show, resume,
        task, parameter, values, repeats, tokens, at_once, fair, prompts, checks, judge, rubric,
        plan, start, stop, planned, progress, findings, report, patch, apply,
    )  # fmt: skip
