"""Where everything stands on the page. Components only; what they do is wired in `ui.app`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from llamafarm.output.tables import writable
from llamafarm.ui.batch.tab import BatchTab, build_batch
from llamafarm.ui.compare.fault_injection import FaultInjectionPanel, build_fault_panel
from llamafarm.ui.compare.lane_panel import LanePanel, build_card, build_tab, html
from llamafarm.ui.compare.tools import ToolApproval, Tools, build_gate, build_tools
from llamafarm.ui.conversation.panel import Pictures, Talk, build_pictures, build_talk
from llamafarm.ui.history.tab import HistoryTab, build_history
from llamafarm.ui.lab.tab import Lab, build_lab
from llamafarm.ui.parts.cards import routing_card
from llamafarm.ui.parts.shell import drawer_head, masthead, rail, starters, toggle
from llamafarm.ui.project.discovered import DiscoveryPanel, build_discovery
from llamafarm.ui.project.panel import ProjectPanel, build_project
from llamafarm.ui.routing.tab import RoutingTab, build_routing
from llamafarm.ui.sessions import MAX_LANES
from llamafarm.ui.tabs import SPEAK_EVERY_S
from llamafarm.ui.votes.verdict import Verdict, build_verdict


@dataclass(frozen=True, slots=True)
class Page:
    """All components that something is read from or shown in."""

    masthead: gr.HTML
    banner: gr.HTML
    pages: gr.Tabs
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
    order: gr.HTML
    lanes: gr.Tabs
    lane_panels: tuple[LanePanel, ...]
    lab: Lab
    batch: BatchTab
    routing_tab: RoutingTab
    history: HistoryTab
    here: gr.Timer


def build(sources: Sequence[tuple[str, str]]) -> Page:
    """Build the page inside the current Blocks: rail, header, one tab of Gradio's for each page, and the drawer."""
    html(rail(), elem_id="rail")
    go, picked = gr.Button(visible="hidden", elem_id="history-go"), gr.JSON(visible=False)
    with gr.Column(elem_id="frame"):
        head, banner = html(masthead(None), elem_id="masthead"), html(elem_id="banner")
        with gr.Tabs(elem_id="pages") as pages:
            with gr.Tab("Compare", id="compare", elem_id="compare"):
                compare = _compare()
            lab, batch, routing_tab = build_lab(), build_batch(), build_routing()
            history = build_history(go, picked)
    with gr.Column(elem_id="drawer"):
        html(drawer_head())
        panel, discovery = build_project(sources), build_discovery()
        fault_panel, tools = build_fault_panel(), build_tools()
    return Page(
        masthead=head,
        banner=banner,
        pages=pages,
        panel=panel,
        discovery=discovery,
        fault_panel=fault_panel,
        tools=tools,
        lab=lab,
        batch=batch,
        routing_tab=routing_tab,
        history=history,
        here=gr.Timer(SPEAK_EVERY_S),
        **compare,
    )


def _compare() -> dict[str, Any]:
    """The comparison's own page, as the fields of `Page` that stand in it."""
    with gr.Column(elem_id="composer"):
        prompt = _prompt()
        with gr.Row(elem_id="send-row"):
            models, outlook = _models(), html(elem_id="outlook")
            html(toggle("options", "Options", class_="lf-button lf-options"), elem_id="options-toggle")
            send, follow, stop = _buttons()
        pictures = build_pictures()
        with gr.Row(elem_id="options"):
            fair = gr.Checkbox(label="One at a time, warmed", elem_id="fair", container=False, min_width=180)
            blind = gr.Checkbox(label="Blind: no names until I vote", elem_id="blind", container=False, min_width=150)
            variables = gr.Textbox(
                label="Template variables, one name=value a line", lines=2, visible=False, elem_id="variables"
            )
    editing, gate = html(elem_id="editing"), build_gate()
    with gr.Row(elem_id="band"):
        table, routing = html(elem_id="table"), html(routing_card((), ""), elem_id="routing")
    notice, order = html(elem_id="notice"), html(elem_id="order")
    lanes, lane_panels, begin = _lanes()
    with gr.Row(elem_id="after"):
        verdict = build_verdict("verdict")
    csv, parquet, table_file = _share()
    talk = build_talk(editing, begin)
    return {
        "prompt": prompt, "pictures": pictures, "send": send, "follow": follow, "stop": stop, "blind": blind,
        "models": models, "fair": fair, "variables": variables, "gate": gate, "routing": routing, "outlook": outlook,
        "talk": talk, "table": table, "csv": csv, "parquet": parquet, "table_file": table_file, "verdict": verdict,
        "notice": notice, "order": order, "lanes": lanes, "lane_panels": lane_panels,
    }  # fmt: skip


def _share() -> tuple[gr.Button, gr.Button, gr.Textbox]:
    """What the header's Share button shows."""
    with gr.Row(elem_id="share"):
        csv = gr.Button("Table as CSV", size="sm", min_width=120, scale=0, elem_id="csv")
        parquet = gr.Button(
            "as Parquet", size="sm", min_width=100, scale=0, elem_id="parquet", visible=writable("parquet")
        )
        table_file = gr.Textbox(visible=False)
    return csv, parquet, table_file


def _prompt() -> gr.Textbox:
    return gr.Textbox(
        label="Prompt",
        lines=2,
        max_lines=12,
        elem_id="prompt",
        autofocus=True,
        placeholder="One prompt for all models. Ctrl+Enter (⌘+Enter) sends it.",
    )


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button]:
    """Send, Follow up and Stop; the style sheet shows Stop in the place of the others while anything runs."""
    with gr.Row(elem_id="buttons"):
        follow = gr.Button("Follow up", variant="secondary", elem_id="follow", interactive=False, min_width=60)
        send = gr.Button("Send", variant="primary", elem_id="send", interactive=False, min_width=60)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=60)
    return send, follow, stop


def _models() -> gr.CheckboxGroup:
    """Which models take part."""
    return gr.CheckboxGroup(
        [], label="Models that take part", elem_id="models", show_select_all=True, scale=3, min_width=200
    )


def _lanes() -> tuple[gr.Tabs, tuple[LanePanel, ...], gr.HTML]:
    with gr.Tabs(elem_id="lanes") as lanes:
        with gr.Tab("Side by side", id="all", elem_id="all"):
            begin = html(starters(), elem_id="begin")
            with gr.Row(elem_id="cards", elem_classes=["lf-cards"]):
                cards = [build_card(index) for index in range(MAX_LANES)]
        tabs = [build_tab(index) for index in range(MAX_LANES)]
    return lanes, tuple(LanePanel(card, tab) for card, tab in zip(cards, tabs, strict=True)), begin
