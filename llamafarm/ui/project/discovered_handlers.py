"""Looking for models on this machine from the page: the operator's alone, and the same that is then asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block

from llamafarm.runtime.discovering import discover
from llamafarm.ui.gradio_workarounds.blocks import QUIET
from llamafarm.ui.handlers import Handlers, rights_of
from llamafarm.ui.project.discovered import DiscoveryPanel, discovered_view
from llamafarm.ui.show import Updates

FIRST_PROMPT = "Why is the sky blue?"
NOT_HERE = "Only the operator can look for models: open the link that was printed in the terminal."


@dataclass(frozen=True, slots=True)
class DiscoveryHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers
    panel: DiscoveryPanel

    def offer(self, request: gr.Request) -> Updates:
        """The button for who may press it."""
        return {self.panel.look: gr.Button(visible=self._may(request))}

    async def look(self, request: gr.Request) -> Updates:
        """Ask the usual addresses, and show what is there; it is kept for `compare`."""
        if not self._may(request):
            raise gr.Error(NOT_HERE)
        session = self.base.session(request)
        session.found = await discover(None, self.base.runner.runtime.providers.client)
        return {
            self.panel.told: discovered_view(session.found),
            self.panel.compare: gr.Button(visible=bool(session.found.text)),
        }

    async def compare(self, request: gr.Request, prompt: str) -> Updates:
        """Open what was found and shown; a prompt is filled in where there is none. Sending comes after it."""
        found = self.base.session(request).found
        if not self._may(request) or found is None or not found.text:
            raise gr.Error(NOT_HERE if not self._may(request) else "Look for models first.")
        asked = prompt if prompt.strip() else FIRST_PROMPT
        return {**await self.base.open_found(request, asked, found.text), self.base.page.prompt: asked}

    def _may(self, request: gr.Request) -> bool:
        """What is at this machine's addresses, and which keys it has, is the operator's to know."""
        rights = rights_of(request)
        return rights.trust and rights.paths and not self.base.projects.reached


def wire_discovery(
    demo: gr.Blocks, handlers: DiscoveryHandlers, shown: Sequence[Block], asked: Sequence[Any], running: Sequence[Block]
) -> None:
    """`shown` is what opening a project changes, `asked` what Send reads, and `running` what that changes."""
    panel, base = handlers.panel, handlers.base
    demo.load(handlers.offer, None, [panel.look], **QUIET)
    panel.look.click(handlers.look, None, [panel.told, panel.compare], **(QUIET | {"show_progress": "minimal"}))
    opened = panel.compare.click(handlers.compare, [base.page.prompt], [*shown, base.page.prompt], **QUIET)
    opened.success(base.send, [*asked], [*running], concurrency_limit=None, **QUIET)
