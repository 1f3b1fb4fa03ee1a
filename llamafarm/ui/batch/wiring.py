"""The Batch tab wired to what it does."""

from __future__ import annotations

from llamafarm.ui.batch.handlers import BatchHandlers
from llamafarm.ui.gradio_workarounds.blocks import QUIET
from llamafarm.ui.layout import Page
from llamafarm.ui.theme import script


def wire_batch(page: Page, handlers: BatchHandlers) -> None:
    """Wire the tab's buttons; called inside the page's Blocks."""
    batch = page.batch
    asked = [*batch.inputs, page.variables]
    told = [batch.planned, batch.progress, batch.results, batch.start, batch.stop]
    batch.choose.click(
        handlers.choose, [batch.uploaded], [batch.chosen, batch.pasted], js=script("prompts.js"), **QUIET
    )
    batch.tab.select(handlers.earlier, None, [batch.earlier], **QUIET)
    batch.plan.click(handlers.plan, asked, [batch.planned], **QUIET)
    batch.start.click(handlers.start, asked, told, concurrency_limit=None, **QUIET)
    batch.stop.click(handlers.stop, None, None, queue=False, **QUIET)
