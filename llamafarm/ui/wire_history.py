"""The History tab's components wired to what they do."""

from __future__ import annotations

from collections.abc import Sequence

from gradio.blocks import Block

from llamafarm.ui.blocks import QUIET
from llamafarm.ui.history_handlers import HistoryHandlers
from llamafarm.ui.layout import Page
from llamafarm.ui.rerun import Rerun
from llamafarm.ui.theme import script


def wire_history(page: Page, handlers: HistoryHandlers, rerun: Rerun, refilled: Sequence[Block]) -> None:
    """Wire the tab; `refilled` is all that putting a comparison into the page changes."""
    tab = page.history
    listed = [tab.listed, tab.older, tab.project, tab.model]
    for trigger in (tab.tab.select, tab.search.click, tab.text.submit, tab.since.submit, tab.until.submit):
        trigger(handlers.search, tab.inputs, listed, **QUIET)
    for choice in (tab.project, tab.model, tab.kind):
        choice.input(handlers.search, tab.inputs, listed, trigger_mode="always_last", **QUIET)
    tab.newest.click(handlers.search, tab.inputs, listed, **QUIET)
    tab.older.click(handlers.older, None, listed, **QUIET)
    opened, seen = [page.lanes, *tab.shown], script("opened.js")
    tab.go.click(handlers.open, [tab.picked], opened, js="() => [window.lfComparison]", **QUIET).then(
        None, None, None, js=seen
    )
    tab.diff.click(handlers.compare, [tab.picked], opened, js=script("ticked.js"), **QUIET).then(
        None, None, None, js=seen
    )
    tab.delete.click(handlers.delete, [tab.picked], [tab.asked], js=script("ticked.js"), **QUIET)
    tab.remove.click(handlers.remove, None, [tab.asked], **QUIET)
    tab.no.click(handlers.keep, None, [tab.asked], **QUIET)
    tab.yes.click(handlers.deleted, None, [tab.asked, *listed, *tab.shown], **QUIET)
    tab.rerun.click(rerun.fill, None, refilled, **QUIET)
