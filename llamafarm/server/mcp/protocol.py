"""The MCP side: tools with their schemas, calls, and errors as answers. Imports the official package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from llamafarm import __version__
from llamafarm.access.asgi import ANYBODY, CALLER
from llamafarm.core import strict_json
from llamafarm.core.errors import LlamaFarmError
from llamafarm.runtime import Runtime
from llamafarm.server.mcp.actions import Actions, Answer, Arguments, Chat, Compare, ListModels, Progress, RoutePrompt
from llamafarm.server.mcp.results import ChatResult, CompareResult, ModelsResult, Result, RouteResult

INSTRUCTIONS = "Language models of LlamaFarm projects: ask one, compare several, or see which one a prompt would go to."


@dataclass(frozen=True, slots=True)
class Kind:
    """One tool: its arguments, what it answers, and what clients may know before they call it."""

    shape: type[Arguments]
    result: type[Result]
    hints: ToolAnnotations


def _hints(title: str, *, asks: bool) -> ToolAnnotations:
    """A tool that looks, or one that asks models: that costs something, and is another answer each time."""
    return ToolAnnotations(
        title=title, read_only_hint=not asks, destructive_hint=False, idempotent_hint=not asks, open_world_hint=asks
    )


KINDS: dict[str, Kind] = {
    "list_models": Kind(ListModels, ModelsResult, _hints("List the models", asks=False)),
    "compare": Kind(Compare, CompareResult, _hints("Compare models", asks=True)),
    "route": Kind(RoutePrompt, RouteResult, _hints("Route a prompt", asks=False)),
    "chat": Kind(Chat, ChatResult, _hints("Ask a model", asks=True)),
}


class _Plain(GenerateJsonSchema):
    """Schemas in which what may be left out is not null: many clients know no `anyOf`, and models would send it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def sessions(runtime: Runtime) -> StreamableHTTPSessionManager:
    """The sessions of MCP clients over streamable HTTP. Who may connect is decided before: by the server's guards."""
    return StreamableHTTPSessionManager(app=_server(Actions(runtime)))


def _server(actions: Actions) -> Server[Any]:
    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_tool(name, kind) for name, kind in KINDS.items()])

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


def _tool(name: str, kind: Kind) -> Tool:
    schema = kind.shape.model_json_schema(schema_generator=_Plain)
    description = schema.pop("description", "")
    return Tool(
        name=name,
        title=kind.hints.title,
        description=description,
        input_schema=schema,
        output_schema=kind.result.model_json_schema(mode="serialization"),
        annotations=kind.hints,
    )


async def _called(actions: Actions, name: str, given: dict[str, Any], progress: Progress) -> CallToolResult:
    if name not in KINDS:
        return _error(f"There is no tool {name}. There are: {', '.join(KINDS)}.")
    try:
        return _result(await _act(actions, KINDS[name].shape.model_validate(given), progress))
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
    text = said if isinstance(said, str) else strict_json.dumps(answer)
    return CallToolResult(content=[TextContent(text=text)], structured_content=answer, is_error=failed)


def _error(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
