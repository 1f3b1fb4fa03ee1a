"""The MCP side: tools with their schemas, calls, and errors as answers. Imports the official package."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, Tool
from pydantic import ValidationError

from llamafarm import __version__
from llamafarm.asgi import ANYBODY, CALLER
from llamafarm.errors import LlamaFarmError
from llamafarm.mcpserver.actions import Actions, Answer, Arguments, Chat, Compare, ListModels, Progress, RoutePrompt
from llamafarm.runtime import Runtime

INSTRUCTIONS = "Language models of LlamaFarm projects: ask one, compare several, or see which one a prompt would go to."
SHAPES: dict[str, type[Arguments]] = {
    "list_models": ListModels,
    "compare": Compare,
    "route": RoutePrompt,
    "chat": Chat,
}


def sessions(runtime: Runtime) -> StreamableHTTPSessionManager:
    """The sessions of MCP clients over streamable HTTP. Who may connect is decided before: by the server's guards."""
    return StreamableHTTPSessionManager(app=_server(Actions(runtime)))


def _server(actions: Actions) -> Server[Any]:
    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_tool(name, shape) for name, shape in SHAPES.items()])

    async def call_tool(context: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        async def progress(done: int, total: int, what: str) -> None:
            await context.session.report_progress(done, total, what)

        scope = context.request.scope if context.request is not None else {}
        own = replace(actions, runtime=actions.runtime.of(scope.get(CALLER) or ANYBODY))
        return await _called(own, params.name, params.arguments or {}, progress)

    # The package's higher MCPServer would set up logging for the whole process.
    return Server(
        "llamafarm-playground",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _tool(name: str, shape: type[Arguments]) -> Tool:
    schema = shape.model_json_schema()
    description = schema.pop("description", "")
    return Tool(name=name, description=description, input_schema=schema)


async def _called(actions: Actions, name: str, given: dict[str, Any], progress: Progress) -> CallToolResult:
    if name not in SHAPES:
        return _error(f"There is no tool {name}. There are: {', '.join(SHAPES)}.")
    try:
        return _result(await _act(actions, SHAPES[name].model_validate(given), progress))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return _error(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.")
    except LlamaFarmError as error:
        return _error(str(error))


async def _act(actions: Actions, asked: Arguments, progress: Progress) -> Answer:
    match asked:
        case ListModels():
            return await actions.list_models(asked)
        case RoutePrompt():
            return await actions.route(asked)
        case Compare():
            return await actions.compare(asked, progress)
        case Chat():
            return await actions.chat(asked, progress)
    raise AssertionError(asked)


def _result(answer: Answer) -> CallToolResult:
    """The answer as structured content, and as text: of a chat, what the model said."""
    failed = answer.get("status") == "failed"
    said = answer.get("error") if failed else answer.get("text")
    text = said if isinstance(said, str) else json.dumps(answer, ensure_ascii=False)
    return CallToolResult(content=[TextContent(text=text)], structured_content=answer, is_error=failed)


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
