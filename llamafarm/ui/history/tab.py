"""The History tab: what stands in it. What was recorded is looked for, opened, compared, exported and deleted here."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from llamafarm.ui.compare.lane_panel import answer_box, html, reasoning_box
from llamafarm.ui.sessions import MAX_LANES
from llamafarm.ui.votes.verdict import Verdict, build_verdict

KINDS = [
    ("all but runs", ""),
    ("comparisons", "compare"),
    ("conversations", "chat"),
    ("calls of sweeps", "sweep"),
    ("rows of batches", "batch"),
]


@dataclass(frozen=True, slots=True)
class Kept:
    """The card of one lane of an opened comparison; the style sheet hides it while its head is empty."""

    head: gr.HTML
    thoughts: gr.Accordion
    reasoning: gr.Markdown
    answer: gr.Markdown
    foot: gr.HTML

    @property
    def parts(self) -> list[Component]:
        """What holds a lane's words and figures."""
        return [self.head, self.reasoning, self.answer, self.foot]


@dataclass(frozen=True, slots=True)
class HistoryTab:
    """The tab's components. `go` and `picked` carry what the list's own links and boxes say: see page.js."""

    tab: gr.Tab
    text: gr.Textbox
    project: gr.Dropdown
    model: gr.Dropdown
    kind: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    search: gr.Button
    newest: gr.Button
    older: gr.Button
    diff: gr.Button
    delete: gr.Button
    listed: gr.HTML
    rates: gr.HTML
    asked: gr.HTML
    yes: gr.Button
    no: gr.Button
    go: gr.Button
    picked: gr.JSON
    opened: gr.HTML
    verdict: Verdict
    rerun: gr.Button
    remove: gr.Button
    cards: tuple[Kept, ...]

    @property
    def inputs(self) -> list[Component]:
        """What a search reads, in the order of `historylist.Search`."""
        return [self.text, self.project, self.model, self.kind, self.since, self.until]

    @property
    def page(self) -> list[Block]:
        """All that listing changes."""
        return [self.listed, self.rates, self.older, self.project, self.model]

    @property
    def shown(self) -> list[Block]:
        """All that opening a comparison changes."""
        cards: list[Block] = [part for card in self.cards for part in (*card.parts, card.thoughts)]
        return [self.opened, *self.verdict.outputs, *cards]


def build_history(go: gr.Button, picked: gr.JSON) -> HistoryTab:
    """Build the tab inside the current Tabs; `go` and `picked` stand outside it, where links are always heard."""
    with gr.Tab("History", id="history", elem_id="history") as tab:
        text, project, model, kind, since, until = _filters()
        with gr.Row(elem_id="history-tools"):
            search = gr.Button("Search", size="sm", min_width=90, variant="primary", elem_id="history-search")
            newest = gr.Button("Newest", size="sm", min_width=90, elem_id="history-newest")
            older = gr.Button("Older", size="sm", min_width=90, interactive=False, elem_id="history-older")
            diff = gr.Button("Compare the two ticked", size="sm", min_width=150, elem_id="history-diff")
            delete = gr.Button("Delete the ticked…", size="sm", min_width=130, elem_id="history-delete")
        with gr.Row(elem_id="history-ask"):
            asked = html(elem_id="history-asked")
            yes = gr.Button("Delete for good", size="sm", min_width=120, variant="stop", elem_id="history-yes")
            no = gr.Button("Keep", size="sm", min_width=90, elem_id="history-no")
        listed, rates = html(elem_id="history-list"), html(elem_id="history-rates")
        opened, verdict = html(elem_id="history-opened"), build_verdict("history-verdict")
        with gr.Row(elem_id="history-opened-tools"):
            rerun = gr.Button("Ask this again…", size="sm", min_width=130, variant="primary", elem_id="history-rerun")
            remove = gr.Button("Delete this…", size="sm", min_width=110, elem_id="history-remove")
        with gr.Row(elem_id="history-cards", elem_classes=["lf-cards"]):
            cards = tuple(_card(index) for index in range(MAX_LANES))
    return HistoryTab(
        tab, text, project, model, kind, since, until, search, newest, older, diff, delete,
        listed, rates, asked, yes, no, go, picked, opened, verdict, rerun, remove, cards,
    )  # fmt: skip


def _filters() -> tuple[gr.Textbox, gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Textbox, gr.Textbox]:
    with gr.Row(elem_id="history-filters"):
        text = gr.Textbox(
            label="Words that were asked or answered", max_lines=1, scale=3, min_width=220, elem_id="history-text"
        )
        project = gr.Dropdown(
            [("all", "")], value="", label="Project", allow_custom_value=True, min_width=150, elem_id="history-project"
        )
        model = gr.Dropdown(
            [("all", "")], value="", label="Model", allow_custom_value=True, min_width=150, elem_id="history-model"
        )
        kind = gr.Dropdown(KINDS, value="", label="Kind", min_width=150, elem_id="history-kind")
        since = gr.Textbox(
            label="From day", placeholder="2026-11-24", max_lines=1, min_width=110, elem_id="history-since"
        )
        until = gr.Textbox(
            label="To day", placeholder="2026-11-30", max_lines=1, min_width=110, elem_id="history-until"
        )
    return text, project, model, kind, since, until


def _card(index: int) -> Kept:
    with gr.Column(elem_classes=["lf-lane", "lf-kept"], elem_id=f"kept-{index}", min_width=280):
        head = html()
        thoughts, reasoning = reasoning_box()
        answer = answer_box("lf-answer")
        foot = html()
    return Kept(head, thoughts, reasoning, answer, foot)
