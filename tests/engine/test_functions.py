"""Tools as functions, and calls that may be sent back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.types import ToolCall
from llamafarm.engine.tool_loop.functions import arguments_of, function_names, function_of, sendable
from llamafarm.tools.names import VALID
from tests.engine.fakes import tool


def test_names_in_both_forms() -> None:
    assert function_names([function_of(tool("a")), {"type": "function", "name": "b"}, {}, {"function": "x"}]) == {
        "a",
        "b",
    }


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a": 1}', {"a": 1}), ('"{\\"a\\": 1}"', {"a": 1}), ("", {}), (" ", {}), ("null", {}), ("[1]", None),
        ('{"a": 1, "a": 2}', None), ('{"b": {"a": 1, "a": 2}}', None), ('"{\\"a\\": 1, \\"a\\": 2}"', None), ('{"a": NaN}', None), ('{"a": -Infinity}', None),
        ('{"a": 1e999}', None), ('{"a": "\\ud800"}', None), ('{"a": "\\ud83d\\udc69"}', {"a": "👩"}), ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}), ("no", None), ("1", None), ('"no"', None), ("[" * 100_000, None),
    ],
)  # fmt: skip
def test_arguments(text: str, arguments: object) -> None:
    assert arguments_of(text) == arguments


@given(st.text(), st.one_of(st.text(), st.just('{"a": 1}')))
def test_what_is_sent_back_is_in_form(name: str, arguments: str) -> None:
    sent = sendable(ToolCall("1", name, arguments))
    assert VALID.fullmatch(sent.name)
    assert isinstance(json.loads(sent.arguments), dict)
    if arguments == '{"a": 1}':
        assert sent.arguments == arguments
