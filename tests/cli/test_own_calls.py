"""Calls of tools that are the asker's own: whatever shows a lane shows them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llamafarm.cli.terminal.table import tool_lines
from llamafarm.core.reply import Reply, ToolRun
from llamafarm.core.types import ToolCall
from llamafarm.output.contracts import lane_json
from llamafarm.output.sheet import lane_row
from llamafarm.ui.compare.tools import tool_runs
from tests.cli.conftest import Run, Serve
from tests.cli.helpers import HEAD, entry, written
from tests.faultserver.speech import chunk, ending, plays

CALL = ToolCall("call_1", "get_weather", '{"city": "<b>Paris</b>"}')
OURS = ToolCall("call_2", "files_read", "{}")
REPLY = Reply("a", "a", "a", "openai", "m", "done", tool_calls=(CALL,), finish_reason="tool_calls")


def test_each_face_shows_them() -> None:
    assert list(tool_lines(REPLY)) == ['tool call: get_weather({"city": "<b>Paris</b>"})']
    assert lane_json(REPLY)["open_tool_calls"] == [
        {"id": "call_1", "name": "get_weather", "arguments": '{"city": "<b>Paris</b>"}'}
    ]
    assert lane_row(REPLY)["tool_calls"] == 'get_weather({"city": "<b>Paris</b>"})'
    page = str(tool_runs(REPLY))
    assert "get_weather" in page
    assert "&lt;b&gt;Paris" in page
    assert "<b>Paris" not in page


def test_what_we_ran_is_not_among_them() -> None:
    reply = replace(REPLY, tool_calls=(CALL, OURS), tool_runs=(ToolRun(OURS, 1, "files", "read", "done"),))
    assert reply.own_calls == (CALL,)


@pytest.mark.parametrize("reason", ["length", "stop", None])
def test_a_call_that_is_not_to_be_made_is_shown_all_the_same(reason: str | None) -> None:
    reply = replace(REPLY, finish_reason=reason)
    assert lane_json(reply)["open_tool_calls"] == []
    assert list(tool_lines(reply))
    assert tool_runs(reply) is not None


def test_a_comparison_tells_them(tmp_path: Path, run: Run, serve: Serve) -> None:
    call = {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": '{"x": 1}'}}
    script = plays("openai", [chunk({"tool_calls": [call]}), ending("openai", "stop")])
    written(tmp_path, HEAD + entry("fast", serve(script).url) + entry("other", serve(script).url))
    done = run("compare", "Hello")
    assert done.notes.count('look({"x": 1})') + done.text.count('look({"x": 1})') == 2
    lanes = json.loads(run("compare", "--json", "Hello").text)["lanes"]
    assert [lane["open_tool_calls"][0]["name"] for lane in lanes] == ["look", "look"]


def test_one_that_is_written_to_a_tool_that_nobody_knows_is_told(tmp_path: Path, run: Run, serve: Serve) -> None:
    text = "<|channel|>analysis<|message|>hm<|end|><|channel|>commentary to=browser.search<|message|>{}<|call|>"
    server = serve(plays("openai", [chunk({"content": text}), ending("openai")]))
    written(tmp_path, HEAD + entry("oss", server.url, provider="openai"))
    told = json.loads(run("chat", "--json", "Hello").text)
    assert [call["name"] for call in told["open_tool_calls"]] == ["browser.search"]
    assert (told["text"], told["reasoning"], told["finish_reason"]) == ("", "hm", "tool_calls")
    assert "browser.search" in run("chat", "Hello").notes
