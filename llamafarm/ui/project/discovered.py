"""What was found on this machine, in the project's panel: what there is, the project of it, and asking its models."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import gradio as gr

from llamafarm.runtime.discovering import Discovered
from llamafarm.ui.compare.lane_panel import html
from llamafarm.ui.parts.markup import Markup, tag

NOTHING = "No model server answers at the usual addresses of this machine, and no well-known key variable is set."
START = "Start one (such as Ollama) and look again; the samples have a model that needs none."
FILE = "llamafarm.yaml"


@dataclass(frozen=True, slots=True)
class DiscoveryPanel:
    """`look` is the operator's alone; `told` is what was found, and `compare` opens it and asks its models."""

    look: gr.Button
    told: gr.HTML
    compare: gr.Button


def build_discovery() -> DiscoveryPanel:
    """Build the panel inside the current Blocks."""
    look = gr.Button("Look for models on this machine", size="sm", visible=False, elem_id="discover")
    told = html(elem_id="discovered")
    compare = gr.Button("Compare these", size="sm", variant="primary", visible=False, elem_id="discover-compare")
    return DiscoveryPanel(look, told, compare)


def discovered_view(found: Discovered) -> Markup:
    """What there is, and the project of it to read and to save."""
    if not found.text:
        words = [tag("p", line, class_="lf-sub") for line in found.notes]
        return tag("div", tag("p", NOTHING), tag("p", START, class_="lf-sub"), *words, role="status")
    lines = [tag("li", line) for line in found.summary()]
    saved = tag(
        "a",
        f"Save as {FILE}",
        href=f"data:application/yaml;charset=utf-8,{quote(found.text, safe='')}",
        download=FILE,
        class_="lf-button",
    )
    text = tag(
        "details", tag("summary", "The project of it"), tag("pre", found.text, tabindex="0", class_="lf-result-text")
    )
    return tag("div", tag("ul", *lines), text, saved, class_="lf-report", role="status")
