"""What servers list and answer, as tools and text."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import CallToolResult, Tool

from llamafarm.tools.results import KEPT, cut, result_of, tool_of

PLAIN = {"type": "object", "properties": {}}
TEXT = {"type": "text", "text": "hay"}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "texts": ({"content": [TEXT, TEXT]}, "hay\nhay"),
    "nothing": ({"content": []}, "(The tool gave no output.)"),
    "empty text": ({"content": [{"type": "text", "text": ""}]}, "(The tool gave no output.)"),
    "structured beside text": ({"content": [TEXT], "structuredContent": {"a": 1}}, "hay"),
    "structured alone": ({"content": [], "structuredContent": {"a": "ä"}}, '{"a": "ä"}'),
    "image": ({"content": [TEXT, {"type": "image", "data": "AAAA" * 500, "mimeType": "image/png"}]},
              "hay\n[image, image/png, about 1,500 bytes: not passed on to the model]"),
    "audio": ({"content": [{"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}]},
              "[audio, audio/wav, about 3 bytes: not passed on to the model]"),
    "link": ({"content": [{"type": "resource_link", "uri": "file:///a", "name": "a"}]}, "[resource file:///a: a]"),
    "resource": ({"content": [{"type": "resource", "resource": {"uri": "file:///a", "text": "inside"}}]}, "inside"),
    "binary": ({"content": [{"type": "resource", "resource": {"uri": "file:///a", "blob": "AAAA"}}]},
               "[resource file:///a: binary, not passed on to the model]"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_results_become_text(case: str) -> None:
    answer, text = CASES[case]
    assert result_of(CallToolResult.model_validate(answer)).text == text


def test_an_error_stays_one() -> None:
    assert result_of(CallToolResult.model_validate({"content": [TEXT], "isError": True})).is_error
    assert not result_of(CallToolResult.model_validate({"content": [TEXT]})).is_error


@pytest.mark.parametrize(
    ("given", "mended"),
    [
        ({}, PLAIN),
        ({"type": "string"}, PLAIN),
        ({"type": "object", "properties": []}, PLAIN),
        ({"$schema": "x", "type": "object", "properties": {"a": {}}, "required": ["a"]},
         {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
    ],
)  # fmt: skip
def test_schemas_that_no_model_server_takes_are_mended(given: dict[str, Any], mended: dict[str, Any]) -> None:
    tool = tool_of("fs", Tool(name="t", title="Title", input_schema=given))
    assert (tool.schema, tool.description, tool.call_name) == (mended, "Title", "t")


def test_a_cut_tells_what_is_left_out() -> None:
    assert cut("hay", 3) == "hay"
    assert cut("hayhay", 3) == "hay\n[Cut here: 3 of 6 characters are left out.]"
    assert KEPT >= 1_000_000
