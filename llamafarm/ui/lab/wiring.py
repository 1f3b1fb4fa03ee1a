"""The temperature lab's components wired to what they do."""

from __future__ import annotations

from gradio.blocks import Block

from llamafarm.ui.gradio_workarounds.blocks import QUIET
from llamafarm.ui.lab.handlers import LabHandlers
from llamafarm.ui.lab.past import LabPast
from llamafarm.ui.layout import Page


def wire_lab(page: Page, handlers: LabHandlers, past: LabPast) -> None:
    """Wire the tab. The list of earlier sweeps is read when the tab is opened, and when a sweep has ended."""
    lab = page.lab
    asked = [*lab.inputs, page.prompt, page.variables]
    found: list[Block] = [lab.planned, lab.progress, lab.findings, lab.report, lab.patch, lab.apply]
    told = [*found, lab.start, lab.stop, lab.resume]
    lab.plan.click(handlers.plan, asked, [lab.planned], **QUIET)
    started = lab.start.click(handlers.start, asked, told, concurrency_limit=None, **QUIET)
    resumed = lab.resume.click(past.resume, [lab.earlier, *asked], told, concurrency_limit=None, **QUIET)
    for trigger in (lab.tab.select, started.then, resumed.then):
        trigger(past.listed, None, [lab.earlier], **QUIET)
    lab.show.click(past.show, [lab.earlier], found, **QUIET)
    lab.stop.click(handlers.stop, None, None, queue=False, **QUIET)
    lab.apply.click(handlers.apply, None, [lab.apply], **QUIET)
