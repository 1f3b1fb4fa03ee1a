"""The project's part of the drawer: which file, its text, what is wrong with it, trust, and the probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from llamafarm.ui.compare.lane_panel import html
from llamafarm.ui.project.probe import ProbePanel, build_probe


@dataclass(frozen=True, slots=True)
class ProjectPanel:
    """The components that a project is opened, edited, trusted and probed with."""

    source: gr.Dropdown
    path: gr.Textbox
    open_path: gr.Button
    no_path: gr.HTML
    upload: gr.Button
    uploaded: gr.JSON
    report: gr.HTML
    asks: gr.HTML
    trust: gr.Button
    editor: gr.Code
    check: gr.HTML
    apply: gr.Button
    probe: ProbePanel


def build_project(sources: Sequence[tuple[str, str]]) -> ProjectPanel:
    """Build the panel inside the current Blocks."""
    with gr.Column(elem_id="project"):
        source = gr.Dropdown(list(sources), value=sources[0][1], label="Open a project", elem_id="source")
        path = gr.Textbox(
            label="or a file on this machine",
            placeholder="/path/to/llamafarm.yaml",
            max_lines=1,
            visible=False,
            elem_id="path",
        )
        with gr.Row(elem_id="open-file"):
            open_path = gr.Button("Open this path", size="sm", min_width=110, visible=False, elem_id="open-path")
            upload = gr.Button("From your browser…", size="sm", min_width=110, elem_id="upload")
        no_path = html(visible=False, elem_id="no-path")
        uploaded = gr.JSON(visible=False)
        report = html(elem_id="report")
        asks = html(visible=False, elem_id="asks")
        trust = gr.Button("Trust this file", visible=False, size="sm", elem_id="trust")
        with gr.Accordion("The file's text", open=False, elem_id="edit"):
            editor = gr.Code(language="yaml", lines=12, max_lines=28, show_label=False, elem_id="editor")
            check = html(elem_id="check")
            apply = gr.Button("Use this text", size="sm", elem_id="apply")
        probe = build_probe()
    return ProjectPanel(
        source, path, open_path, no_path, upload, uploaded, report, asks, trust, editor, check, apply, probe
    )
