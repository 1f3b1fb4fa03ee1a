"""What the listeners of the tools call: Allow and Deny, listing, and a call by hand."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from llamafarm.core.characters import for_consent
from llamafarm.core.errors import RequestError
from llamafarm.engine.tool_loop.functions import arguments_of
from llamafarm.ui.compare.tools import held_card, held_key, tool_list, tool_result
from llamafarm.ui.handlers import Handlers, refuse
from llamafarm.ui.show import Updates


@dataclass(frozen=True, slots=True)
class ToolHandlers:
    """One per page, beside `Handlers`."""

    base: Handlers

    async def allow(self, request: gr.Request, key: str) -> Updates:
        """The call that is shown may be made."""
        return self._answer(request, key, allowed=True)

    async def deny(self, request: gr.Request, key: str) -> Updates:
        """The call that is shown is not made; the model is told so."""
        return self._answer(request, key, allowed=False)

    def _answer(self, request: gr.Request, key: str, *, allowed: bool) -> Updates:
        session, gate = self.base.session(request), self.base.page.gate
        for held in session.held:
            if held.key == key and not held.word.done():
                held.word.set_result(allowed)
        return {gate.shown: held_card(session.held, session.named), gate.key: held_key(session.held)}

    async def find(self, request: gr.Request) -> Updates:
        """The tools of all the project's servers, which are started for it."""
        session, page = self.base.session(request), self.base.page
        project = session.project
        if project is None:
            return refuse(RequestError("Open a project first."))
        names = [server.name for server in project.mcp_servers]
        offer = await self.base.runner.runtime.tools.offer(project, names)
        session.tools = offer.tools
        choices = [(for_consent(f"{tool.server} · {tool.name}"), tool.call_name) for tool in offer.tools]
        return {page.tools.listed: tool_list(offer.tools, offer.missing), page.tools.tool: gr.Dropdown(choices=choices)}

    async def call(self, request: gr.Request, name: str | None, text: str) -> Updates:
        """One call by hand, of a tool that was listed."""
        session, page = self.base.session(request), self.base.page
        tool = next((each for each in session.tools if each.call_name == name), None)
        if tool is None or session.project is None:
            return refuse(RequestError("List the tools and choose one first."))
        arguments = arguments_of(text)
        if arguments is None:
            return refuse(
                RequestError(
                    "The arguments are not a JSON object in which each name stands once.",
                    hint='Write them as {"name": value}.',
                )
            )
        result = await self.base.runner.runtime.tools.call(session.project, tool, arguments)
        return {page.tools.result: tool_result(result.text, is_error=result.is_error)}
