"""The Routing page wired to what it does."""

from __future__ import annotations

from llamafarm.ui.gradio_workarounds.blocks import QUIET
from llamafarm.ui.layout import Page
from llamafarm.ui.routing.handlers import RoutingHandlers


def wire_routing(page: Page, handlers: RoutingHandlers) -> None:
    """Wire its parts; called inside the page's Blocks."""
    own = page.routing_tab
    own.tab.select(handlers.open, [own.dial], own.told, **QUIET)
    own.dial.change(handlers.turn, [own.dial], [own.dialled], trigger_mode="always_last", **QUIET)
    own.show.click(handlers.show, [own.dial], [own.patch], **QUIET)
    own.write.click(handlers.write, [own.dial], [own.patch], **QUIET)
