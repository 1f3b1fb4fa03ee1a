"""Tools on the page: the gate before each call, the project's tools with their schemas, and a call by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import gradio as gr

from llamafarm.config.model import McpServer
from llamafarm.core import display
from llamafarm.core.characters import excerpt, for_consent
from llamafarm.core.reply import Reply, ToolRun
from llamafarm.core.types import JsonValue, Tool, ToolCall
from llamafarm.ui.compare.lane_panel import html
from llamafarm.ui.parts.markup import Markup, join, tag

SHOWN = 4000  # characters of a result; the whole text went to the model
LETTERS = 160  # of arguments and descriptions that are not unfolded
ASKED = 64_000  # characters of a call that a person is asked about: more can't be read before saying yes


@dataclass(frozen=True, slots=True)
class ToolApproval:
    """What is asked before a call: the call that waits longest, its key, and the two answers."""

    shown: gr.HTML
    key: gr.Textbox
    allow: gr.Button
    deny: gr.Button


@dataclass(frozen=True, slots=True)
class Tools:
    """The panel: which servers are asked before, what they offer, and a call by hand."""

    ask: gr.CheckboxGroup
    find: gr.Button
    listed: gr.HTML
    tool: gr.Dropdown
    arguments: gr.Textbox
    call: gr.Button
    result: gr.HTML


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A call that waits for a person: `word` is their answer. `key` names it, so that no click answers another.

    `sent` is what would be sent, as `told` tells it.
    """

    key: str
    lane: str
    tool: Tool
    sent: str
    word: asyncio.Future[bool] = field(repr=False)


def build_gate() -> ToolApproval:
    """Build the gate inside the current Blocks; the style sheet hides it while nothing waits."""
    with gr.Row(elem_id="gate"):
        shown = html(elem_id="held")
        key = gr.Textbox(visible=False)
        allow = gr.Button("Allow", size="sm", min_width=90, variant="primary", elem_id="allow")
        deny = gr.Button("Deny", size="sm", min_width=90, elem_id="deny")
    return ToolApproval(shown, key, allow, deny)


def build_tools() -> Tools:
    """Build the panel inside the current Blocks."""
    with gr.Accordion("Tools (MCP servers)", open=False, elem_id="tools"):
        ask = gr.CheckboxGroup([], label="Ask before each call of", elem_id="ask-before")
        find = gr.Button("List the tools (starts the servers)", size="sm", elem_id="find-tools")
        listed = html(elem_id="tool-list")
        with gr.Row(elem_id="try-tool"):
            tool = gr.Dropdown([], label="Try one by hand", scale=2, min_width=200, elem_id="tool")
            arguments = gr.Textbox(
                label="Arguments, as JSON", value="{}", lines=1, max_lines=8, scale=3, min_width=200,
                elem_id="arguments", elem_classes=["lf-code"],
            )  # fmt: skip
            call = gr.Button("Call it", size="sm", min_width=90, elem_id="call-tool")
        result = html(elem_id="tool-result")
    return Tools(ask, find, listed, tool, arguments, call, result)


def asked_before(servers: Sequence[McpServer]) -> gr.CheckboxGroup:
    """The switch for a project's servers: on for those that run on this machine."""
    names = [server.name for server in servers]
    local = [server.name for server in servers if server.transport == "stdio"]
    return gr.CheckboxGroup(choices=names, value=local)


def held_card(held: Sequence[Held], named: Callable[[str], str] = str) -> Markup:
    """The call that waits longest, with what it would do; empty where none waits. `named` is how lanes are called.

    Its key stands in it, so that two calls that read alike are shown one after the other.
    """
    waiting = [each for each in held if not each.word.done()]
    if not waiting:
        return Markup("")
    first, more = waiting[0], len(waiting) - 1
    return tag(
        "div",
        tag("strong", f"{for_consent(named(first.lane))} wants to call {_title(first.tool)}"),
        tag("span", f" ({more} more wait)", class_="lf-sub") if more else None,
        tag("div", f"with exactly this, {len(first.sent):,} characters:", class_="lf-sub"),
        tag("pre", first.sent, tabindex="0", dir="ltr"),
        class_="lf-held",
        role="alert",
        data_call=first.key,
    )


def held_key(held: Sequence[Held]) -> str:
    """The key of the call that `held_card` shows."""
    return next((each.key for each in held if not each.word.done()), "")


def tool_list(tools: Sequence[Tool], missing: Mapping[str, str]) -> Markup:
    """Every tool with its server's words and its schema; what could not be listed says why."""
    failed = (
        tag("div", tag("strong", for_consent(name)), f" {why}", class_="lf-alert") for name, why in missing.items()
    )
    listed = (
        tag(
            "details",
            tag("summary", tag("strong", _title(tool)), f" {excerpt(for_consent(tool.description), LETTERS)}"),
            tag("p", for_consent(tool.description)),
            tag("pre", for_consent(json.dumps(dict(tool.schema), indent=2, ensure_ascii=False))),
        )
        for tool in tools
    )
    if not tools and not missing:
        return tag("p", "This project has no MCP servers.", class_="lf-sub")
    return tag("div", *failed, *listed, class_="lf-tool-list")


def tool_result(text: str, *, is_error: bool) -> Markup:
    """What a call by hand gave: data, shown as text."""
    return tag("pre", text, class_="lf-result-text lf-failed" if is_error else "lf-result-text")


def tool_runs(reply: Reply) -> Markup | None:
    """The calls of a lane as they happen, and why tools were not there."""
    without = (
        tag("p", f"Without the tools of {name}: {why}", class_="lf-note lf-warn-text")
        for name, why in reply.tools_missing.items()
    )
    runs = tag("ol", *map(_run, reply.tool_runs), class_="lf-tool-runs") if reply.tool_runs else None
    own = tag("ol", *map(_own, reply.own_calls), class_="lf-tool-runs") if reply.own_calls else None
    shown = join(*without, runs, own)
    return shown or None


def _own(call: ToolCall) -> Markup:
    """A call of a tool that nobody here runs, with all of its arguments."""
    return tag(
        "li",
        tag("div", tag("strong", for_consent(call.name)), tag("span", "for you to make", class_="lf-pill")),
        tag("code", excerpt(for_consent(call.arguments), LETTERS)),
        tag("details", tag("summary", "Arguments"), tag("pre", for_consent(call.arguments[:SHOWN]))),
    )


def _run(run: ToolRun) -> Markup:
    name = f"{run.server} · {run.tool}" if run.server else f"{run.call.name} (no such tool)"
    took = tag("span", display.seconds(run.seconds), class_="lf-sub") if run.seconds is not None else None
    return tag(
        "li",
        tag("div", tag("strong", for_consent(name)), tag("span", run.state, class_=f"lf-pill lf-{run.state}"), took),
        tag("code", excerpt(for_consent(run.call.arguments), LETTERS)),
        tag("details", tag("summary", "Result"), tag("pre", run.text[:SHOWN])) if run.text else None,
    )


def told(arguments: Mapping[str, JsonValue]) -> str | None:
    """What would be sent, whole, as a person reads it; None where that is too long, or too deep, to be read.

    It is JSON: what has no picture of its own stands as `\\u…`, as JSON has it.
    """
    try:
        text = for_consent(json.dumps(dict(arguments), indent=2, ensure_ascii=False))
    except RecursionError:
        return None
    return text if len(text) <= ASKED else None


def too_long(tool: Tool) -> str:
    """Why a call is refused without asking."""
    return (
        f"The call of {tool.name} was refused without asking anybody: its arguments are too long or too deeply nested "
        f"to be shown whole ({ASKED:,} characters), and nobody can allow what they can't see. Make it smaller."
    )


def _title(tool: Tool) -> str:
    return for_consent(f"{tool.server} · {tool.name}")
