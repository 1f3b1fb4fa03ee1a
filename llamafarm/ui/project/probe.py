"""The probe in the project's panel: what it takes, how far it is, and what was found of each model's server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from llamafarm.core import display
from llamafarm.experiments.probe.outlay import Outlay, outlay_lines
from llamafarm.history.probe import Finding, Mark, Probe
from llamafarm.ui.compare.lane_panel import html
from llamafarm.ui.parts.markup import Markup, join, tag

ABOUT = "A dozen short questions show whether these models' servers stream, count, stop, cut, queue and keep forms."
SIGNS: Mapping[Mark, str] = {"yes": "✓", "no": "✗", "untold": "?"}
WORDS: Mapping[Mark, str] = {"yes": "yes", "no": "no", "untold": "not told"}


@dataclass(frozen=True, slots=True)
class ProbePanel:
    """`plan` tells what it takes, and shows `start`; `told` is that and the progress, `found` what was found."""

    plan: gr.Button
    start: gr.Button
    stop: gr.Button
    told: gr.HTML
    found: gr.HTML


def build_probe() -> ProbePanel:
    """Build the panel inside the current Blocks."""
    with gr.Accordion("Probe: what the servers do", open=False, elem_id="probe"):
        html(tag("p", ABOUT, class_="lf-sub"))
        plan = gr.Button("Probe the models that take part…", size="sm", elem_id="probe-plan")
        told = html(elem_id="probe-told")
        with gr.Row(elem_id="probe-buttons"):
            start = gr.Button("Start", size="sm", variant="primary", min_width=90, visible=False, elem_id="probe-start")
            stop = gr.Button("Stop", size="sm", min_width=90, visible=False, elem_id="probe-stop")
        found = html(elem_id="probe-found")
    return ProbePanel(plan, start, stop, told, found)


def outlay_view(outlays: Sequence[Outlay]) -> Markup:
    """What the probes will take."""
    return tag("div", *(tag("p", line) for line in outlay_lines(outlays)), class_="lf-probe-told")


def progress_view(names: Sequence[str], doing: Mapping[str, str]) -> Markup:
    """A line for each model: what is asked of it now, that it is done, or that it waits."""
    lines = [_line(name, doing.get(name)) for name in names]
    return tag("div", *lines, class_="lf-probe-told", role="status")


def _line(name: str, doing: str | None) -> Markup:
    state = "streaming lf-running" if doing else "idle" if doing is None else "done"
    words = doing or ("waits" if doing is None else "done")
    return tag("p", tag("strong", name), " ", tag("span", words, class_=f"lf-pill lf-{state}"))


def probes_view(probes: Iterable[Probe], trouble: str | None = None) -> Markup:
    """What was found of each model, and why it may not be kept."""
    shown = list(probes)
    warning = tag("p", trouble, class_="lf-warn-text") if trouble else None
    return join(warning, *(_probe(each, opened=len(shown) == 1) for each in shown))


def _probe(probe: Probe, *, opened: bool) -> Markup:
    marks = f"{probe.count('yes')} ✓ · {probe.count('no')} ✗ · {probe.count('untold')} not told"
    left = "" if probe.ended else " · not to its end"
    head = tag("summary", tag("strong", probe.model), f" {marks} · {probe.day}{left}")
    subject = probe.subject
    took = f"{subject.model_id} at {subject.server}: {probe.tokens:,} tokens, {display.seconds(probe.seconds)}"
    table = tag("table", tag("tbody", *map(_row, probe.findings)), class_="lf-probe-table")
    body = (head, tag("p", took, class_="lf-sub"), table)
    return tag("details", *body, class_="lf-probe", open="" if opened else None)


def _row(finding: Finding) -> Markup:
    sign = tag("span", SIGNS[finding.mark], title=WORDS[finding.mark], aria_label=WORDS[finding.mark])
    meaning = tag("span", finding.meaning, class_="lf-mark lf-warn-text") if finding.meaning else None
    seen = tag("span", finding.evidence, class_="lf-mark")
    return tag("tr", tag("td", sign, class_=f"lf-probe-{finding.mark}"), tag("td", finding.title, seen, meaning))
