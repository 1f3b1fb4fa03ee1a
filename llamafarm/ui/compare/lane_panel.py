"""The components of one lane: its card in the side-by-side view and its tab. All lanes are made at once.

Columns and tabs that wait unseen switch in 30 to 50 ms and keep what is typed; drawing them anew does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from llamafarm.ui.parts.markdown import DELIMITERS
from llamafarm.ui.parts.markup import join, tag
from llamafarm.ui.parts.temperature import TOP, scale

# What the browser does alone with an answer: see lanes.js.
CARD_TOOLS = join(
    tag("button", "newest ↓", type="button", class_="lf-tool lf-newest", data_lane="newest"),
    tag("button", "Copy", type="button", class_="lf-tool", data_lane="copy"),
    tag("button", "Open", type="button", class_="lf-tool", data_lane="open", title="Large, by itself; Esc closes it"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A lane in the side-by-side view."""

    column: gr.Column
    past: gr.Markdown
    head: gr.HTML
    thoughts: gr.Accordion
    reasoning: gr.Markdown
    answer: gr.Markdown
    foot: gr.HTML
    stop: gr.Button
    retry: gr.Button
    alone: gr.Button


@dataclass(frozen=True, slots=True)
class Tab:
    """A lane's own tab: facts and controls on the left, the answer on the right."""

    tab: gr.Tab
    facts: gr.HTML
    system: gr.Textbox
    send_temperature: gr.Checkbox
    temperature: gr.Slider
    guide: gr.HTML
    send_top_p: gr.Checkbox
    top_p: gr.Slider
    max_tokens: gr.Number
    others: gr.Textbox
    past: gr.Markdown
    head: gr.HTML
    thoughts: gr.Accordion
    reasoning: gr.Markdown
    answer: gr.Markdown
    foot: gr.HTML
    request: gr.Code
    stop: gr.Button
    retry: gr.Button
    alone: gr.Button

    @property
    def controls(self) -> list[Component]:
        """The inputs, in the order of `Settings`' fields."""
        return [
            self.system,
            self.send_temperature,
            self.temperature,
            self.send_top_p,
            self.top_p,
            self.max_tokens,
            self.others,
        ]


@dataclass(frozen=True, slots=True)
class LanePanel:
    """Everything on the page that belongs to one lane; `live` changes while it streams."""

    card: Card
    tab: Tab

    @property
    def live(self) -> list[Component]:
        """The outputs that follow the lane's reply."""
        card, tab = self.card, self.tab
        shown: list[Component] = [card.head, card.reasoning, card.answer, card.foot]
        return [*shown, tab.head, tab.reasoning, tab.answer, tab.foot, tab.request]

    @property
    def thoughts(self) -> list[gr.Accordion]:
        """What folds the reasoning away, and tells its tokens and time."""
        return [self.card.thoughts, self.tab.thoughts]

    @property
    def past(self) -> list[Component]:
        """Where the lane's earlier turns stand."""
        return [self.card.past, self.tab.past]


def html(value: str = "", *, visible: bool = True, elem_id: str | None = None) -> gr.HTML:
    """A place for the page's own markup, with none of Gradio's look and no script."""
    return gr.HTML(
        value, visible=visible, elem_id=elem_id, elem_classes=["lf"], apply_default_css=False, js_on_load=None
    )


def answer_box(*classes: str) -> gr.Markdown:
    """Where a model's words are shown; what goes in is made by `ui.markdown`."""
    box = gr.Markdown(elem_classes=["lf-words", *classes], latex_delimiters=list(DELIMITERS), container=False)
    # Gradio turns tabs into blanks and moves indented code to the left. A subclass would have it write a file here.
    box.postprocess = _as_it_is  # type: ignore[method-assign]
    return box


def _as_it_is(value: Any) -> Any:
    return value


def build_card(index: int) -> Card:
    """The card of lane `index`, unseen until a project has such a lane."""
    with gr.Column(visible=False, elem_classes=["lf-lane"], elem_id=f"card-{index}", min_width=280) as column:
        head = html()
        with gr.Column(elem_classes=["lf-scrolls"]):
            past = answer_box("lf-past")
            thoughts, reasoning = reasoning_box()
            answer = answer_box("lf-answer")
        foot = html()
        with gr.Row(elem_classes=["lf-lane-buttons"]):
            html(CARD_TOOLS)
            stop = gr.Button("Stop", size="sm", min_width=60, elem_classes=["lf-stop"])
            retry = gr.Button("Retry", size="sm", min_width=60, elem_classes=["lf-retry"])
            alone = gr.Button("Only this", size="sm", min_width=60, elem_classes=["lf-alone"])
    return Card(column, past, head, thoughts, reasoning, answer, foot, stop, retry, alone)


def reasoning_box() -> tuple[gr.Accordion, gr.Markdown]:
    """Reasoning folded away. The style sheet hides it until the lane's head says that there is any.

    Gradio's own `visible` draws the page's tree anew, and loses updates that come at the same moment.
    """
    with gr.Accordion("Reasoning", open=False, elem_classes=["lf-thoughts"]) as thoughts:
        reasoning = answer_box("lf-reasoning")
    return thoughts, reasoning


def build_tab(index: int) -> Tab:
    """The tab of lane `index`, unseen until a project has such a lane."""
    with gr.Tab(f"lane {index + 1}", visible=False, id=f"lane-{index}", elem_id=f"tab-{index}") as tab:  # noqa: SIM117 - two columns stand in the row
        with gr.Row(elem_classes=["lf-tab"]):
            with gr.Column(scale=2, min_width=300, elem_classes=["lf-controls"]):
                facts = html()
                system = gr.Textbox(label="System prompt", lines=3, max_lines=12)
                send_temperature, temperature = _optional_slider("temperature", "Temperature", TOP, 0.05)
                guide = html(scale(None))
                send_top_p, top_p = _optional_slider("top_p", "Top p", 1.0, 0.01)
                max_tokens = gr.Number(label="Max tokens (empty: the server's own limit)", precision=0, minimum=1)
                others = gr.Textbox(
                    label="Other parameters, as JSON",
                    lines=2,
                    max_lines=12,
                    elem_classes=["lf-code"],
                    placeholder='{"repeat_penalty": 1.1}',
                )
            with gr.Column(scale=3, min_width=300, elem_classes=["lf-result"]):
                head = html()
                with gr.Row(elem_classes=["lf-lane-buttons"]):
                    stop = gr.Button("Stop this one", size="sm", elem_classes=["lf-stop"])
                    retry = gr.Button("Retry this one", size="sm", elem_classes=["lf-retry"])
                    alone = gr.Button("Go on with this one alone", size="sm", elem_classes=["lf-alone"])
                past = answer_box("lf-past")
                thoughts, reasoning = reasoning_box()
                answer = answer_box("lf-answer")
                foot = html()
                with gr.Accordion("The exact request (keys hidden)", open=False):
                    request = gr.Code(language="json", interactive=False, show_label=False, buttons=["copy"])
    return Tab(
        tab,
        facts,
        system,
        send_temperature,
        temperature,
        guide,
        send_top_p,
        top_p,
        max_tokens,
        others,
        past,
        head,
        thoughts,
        reasoning,
        answer,
        foot,
        request,
        stop,
        retry,
        alone,
    )


def _optional_slider(name: str, label: str, top: float, step: float) -> tuple[gr.Checkbox, gr.Slider]:
    """A slider with a box that says whether its value is sent at all; moving it ticks the box."""
    with gr.Row(elem_classes=["lf-optional"]):
        send = gr.Checkbox(label=f"send {name}", min_width=150, scale=0)
        slider = gr.Slider(0.0, top, step=step, label=label, scale=1, min_width=170, buttons=[])
    slider.input(None, None, send, js="() => true")
    return send, slider
