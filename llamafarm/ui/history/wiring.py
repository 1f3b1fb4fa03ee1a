"""The History tab's components wired to what they do."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from llamafarm.ui.compare.rerun import Rerun
from llamafarm.ui.gradio_workarounds.blocks import QUIET
from llamafarm.ui.history.handlers import HistoryHandlers
from llamafarm.ui.layout import Page
from llamafarm.ui.theme import script
from llamafarm.ui.votes.handlers import VoteHandlers


def wire_history(
    page: Page, opening: Dependency, handlers: HistoryHandlers, rerun: Rerun, refilled: Sequence[Block]
) -> None:
    """Wire the tab; `refilled` is all that putting a comparison into the page changes.

    After `opening`, the page's own, the comparison that its address names is opened.
    """
    tab = page.history
    listed = tab.page
    triggers = [tab.tab.select, tab.search.click, tab.text.submit, tab.since.submit, tab.until.submit]
    triggers += [tab.project.input, tab.model.input, tab.kind.input, tab.newest.click]
    # One listener for all: two would race, and the list could be that of the first.
    gr.on(triggers, handlers.search, tab.inputs, listed, trigger_mode="always_last", **QUIET)
    tab.older.click(handlers.older, None, listed, **QUIET)
    opened, seen = [page.pages, *tab.shown], script("opened.js")
    asked = [tab.picked, page.blind]
    for opens, handler, way in (
        (tab.go.click, handlers.open, "(_, blind) => [window.lfComparison, blind]"),
        (opening.then, handlers.linked, script("linked.js")),
    ):
        opens(handler, asked, opened, js=way, **QUIET).then(None, None, None, js=seen)
    tab.diff.click(handlers.compare, [tab.picked], opened, js=script("ticked.js"), **QUIET).then(
        None, None, None, js=seen
    )
    tab.delete.click(handlers.delete, [tab.picked], [tab.asked], js=script("ticked.js"), **QUIET)
    tab.remove.click(handlers.remove, None, [tab.asked], **QUIET)
    tab.no.click(handlers.keep, None, [tab.asked], **QUIET)
    tab.yes.click(handlers.deleted, None, [tab.asked, *listed, *tab.shown], **QUIET)
    tab.rerun.click(rerun.fill, None, refilled, **QUIET)


def wire_votes(page: Page, handlers: VoteHandlers, told: Sequence[Block]) -> None:
    """Wire the votes; `told` is all that a vote on the newest comparison changes, where its names were hidden."""
    newest, past = page.verdict, page.history.verdict
    newest.choice.input(handlers.vote, [newest.choice, page.prompt], told, **QUIET)
    newest.clear.click(handlers.clear, [page.prompt], told, **QUIET)
    newest.show.click(handlers.show, [page.prompt], told, **QUIET)
    opened = [page.pages, *page.history.page, *page.history.shown]
    past.choice.input(handlers.vote_past, [past.choice], opened, **QUIET)
    past.clear.click(handlers.clear_past, None, opened, **QUIET)
    past.show.click(handlers.show_past, None, opened, **QUIET)
