"""Where everything stands on the page. Components only; what they do is wired in `ui.app`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from llamafarm.output.tables import writable
from llamafarm.ui.batch.tab import BatchTab, build_batch
from llamafarm.ui.compare.fault_injection import FaultInjectionPanel, build_fault_panel
from llamafarm.ui.compare.lane_panel import LanePanel, build_card, build_tab, html
from llamafarm.ui.compare.tools import ToolApproval, Tools, build_gate, build_tools
from llamafarm.ui.conversation.panel import Pictures, Talk, build_pictures, build_talk
from llamafarm.ui.history.tab import HistoryTab, build_history
from llamafarm.ui.lab.tab import Lab, build_lab
from llamafarm.ui.parts.cards import masthead, routing_card
from llamafarm.ui.project.discovered import DiscoveryPanel, build_discovery
from llamafarm.ui.project.probe import ProbePanel, build_probe
from llamafarm.ui.sessions import MAX_LANES
from llamafarm.ui.tabs import SPEAK_EVERY_S
from llamafarm.ui.votes.verdict import Verdict, build_verdict


@dataclass(frozen=True, slots=True)
class ProjectPanel:
    """The left side: which project, its text, what is wrong with it, and trust."""

    accordion: gr.Accordion
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


@dataclass(frozen=True, slots=True)
class Page:
    """All components that something is read from or shown in."""

    masthead: gr.HTML
    panel: ProjectPanel
    discovery: DiscoveryPanel
    prompt: gr.Textbox
    pictures: Pictures
    send: gr.Button
    follow: gr.Button
    stop: gr.Button
    blind: gr.Checkbox
    models: gr.CheckboxGroup
    fair: gr.Checkbox
    variables: gr.Textbox
    fault_panel: FaultInjectionPanel
    tools: Tools
    gate: ToolApproval
    routing: gr.HTML
    outlook: gr.HTML
    talk: Talk
    table: gr.HTML
    csv: gr.Button
    parquet: gr.Button
    table_file: gr.Textbox
    verdict: Verdict
    notice: gr.HTML
    lanes: gr.Tabs
    lane_panels: tuple[LanePanel, ...]
    lab: Lab
    batch: BatchTab
    history: HistoryTab
    here: gr.Timer


def build(sources: Sequence[tuple[str, str]]) -> Page:
    """Build the page inside the current Blocks."""
    head = html(masthead(None), elem_id="masthead")
    with gr.Row(elem_id="columns"):
        with gr.Column(scale=1, min_width=300, elem_id="side"):
            panel = _project_panel(sources)
            discovery = build_discovery()
            fault_panel = build_fault_panel()
            tools = build_tools()
        with gr.Column(scale=4, min_width=320, elem_id="main"):
            with gr.Row(elem_id="ask"):
                with gr.Column(scale=5, min_width=260, elem_id="asked"):
                    prompt = _prompt()
                    pictures = build_pictures()
                send, follow, stop = _buttons()
            editing = html(elem_id="editing")
            models, fair, blind = _options()
            variables = gr.Textbox(
                label="Template variables, one name=value a line", lines=2, visible=False, elem_id="variables"
            )
            routing = html(routing_card((), ""), elem_id="routing")
            outlook = html(elem_id="outlook")
            gate = build_gate()
            table = html(elem_id="table")
            with gr.Row(elem_id="exports"):
                csv = gr.Button("Table as CSV", size="sm", min_width=120, scale=0, elem_id="csv")
                parquet = gr.Button(
                    "as Parquet", size="sm", min_width=100, scale=0, elem_id="parquet", visible=writable("parquet")
                )
                table_file = gr.Textbox(visible=False)
            verdict, notice = build_verdict("verdict"), html(elem_id="notice")
            lanes, lane_panels, lab, batch, history = _lanes()
            talk = build_talk(editing)
    return Page(
        masthead=head,
        panel=panel,
        discovery=discovery,
        prompt=prompt,
        pictures=pictures,
        send=send,
        follow=follow,
        stop=stop,
        blind=blind,
        models=models,
        fair=fair,
        variables=variables,
        fault_panel=fault_panel,
        tools=tools,
        gate=gate,
        routing=routing,
        outlook=outlook,
        talk=talk,
        table=table,
        csv=csv,
        parquet=parquet,
        table_file=table_file,
        verdict=verdict,
        notice=notice,
        lanes=lanes,
        lane_panels=lane_panels,
        lab=lab,
        batch=batch,
        history=history,
        here=gr.Timer(SPEAK_EVERY_S),
    )


def _prompt() -> gr.Textbox:
    return gr.Textbox(
        label="Prompt",
        lines=3,
        max_lines=12,
        elem_id="prompt",
        autofocus=True,
        placeholder="One prompt for all models. Ctrl+Enter (⌘+Enter) sends it.",
    )


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button]:
    with gr.Column(scale=1, min_width=120, elem_id="buttons"):
        send = gr.Button("Send", variant="primary", elem_id="send", interactive=False)
        follow = gr.Button("Follow up", variant="secondary", elem_id="follow", interactive=False)
        stop = gr.Button("Stop", variant="secondary", elem_id="stop", interactive=False)
    return send, follow, stop


def _options() -> tuple[gr.CheckboxGroup, gr.Checkbox, gr.Checkbox]:
    """Which models take part, whether one after the other, and whether their names are told."""
    with gr.Row(elem_id="options"):
        models = gr.CheckboxGroup(
            [], label="Models that take part", elem_id="models", show_select_all=True, scale=3, min_width=280
        )
        fair = gr.Checkbox(label="One at a time, warmed", elem_id="fair", container=False, min_width=180)
        blind = gr.Checkbox(label="Blind: no names until I vote", elem_id="blind", container=False, min_width=150)
    return models, fair, blind


def _lanes() -> tuple[gr.Tabs, tuple[LanePanel, ...], Lab, BatchTab, HistoryTab]:
    go, picked = gr.Button(visible="hidden", elem_id="history-go"), gr.JSON(visible=False)
    with gr.Tabs(elem_id="lanes") as lanes:
        with gr.Tab("Side by side", id="all"), gr.Row(elem_id="cards", elem_classes=["lf-cards"]):
            cards = [build_card(index) for index in range(MAX_LANES)]
        tabs = [build_tab(index) for index in range(MAX_LANES)]
        lab, batch, history = build_lab(), build_batch(), build_history(go, picked)
    lane_panels = tuple(LanePanel(card, tab) for card, tab in zip(cards, tabs, strict=True))
    return lanes, lane_panels, lab, batch, history


def _project_panel(sources: Sequence[tuple[str, str]]) -> ProjectPanel:
    with gr.Accordion("Project", open=True, elem_id="project") as accordion:
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
        accordion, source, path, open_path, no_path, upload, uploaded, report, asks, trust, editor, check, apply, probe
    )
