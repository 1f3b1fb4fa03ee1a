"""Tool calls that models write as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.providers.wire.tool_calls import CLOSE, OPEN, ToolText, WrittenCall

NAMES = ("look", "look_up")
CALL = '{"name": "look", "arguments": {"at": "hay"}}'


def read(*pieces: str) -> tuple[str, list[tuple[str, Any]]]:
    """The visible text, and the calls with their arguments."""
    reader = ToolText(NAMES)
    told = [item for piece in pieces for item in reader.feed(piece)]
    told += reader.end()
    text = "".join(item for item in told if isinstance(item, str))
    return text, [(item.name, json.loads(item.arguments)) for item in told if isinstance(item, WrittenCall)]


LOOK = [("look", {"at": "hay"})]
CASES: dict[str, tuple[str, str, list[tuple[str, Any]]]] = {
    "plain": (f"{OPEN}{CALL}{CLOSE}", "", LOOK),
    "white space around": (f"\n\n{OPEN}\n{CALL}\n{CLOSE}\n\n", "", LOOK),
    "text before": (f"Let me see.\n{OPEN}{CALL}{CLOSE}", "Let me see.\n", LOOK),
    "text after": (f"{OPEN}{CALL}{CLOSE}\nDone.", "Done.", LOOK),
    "two": (f"{OPEN}{CALL}{CLOSE}\n{OPEN}{CALL}{CLOSE}", "", LOOK * 2),
    "two in a list": (f"{OPEN}[{CALL}, {CALL}]{CLOSE}", "", LOOK * 2),
    "no closing tag": (f"{OPEN}{CALL}", "", LOOK),
    "fenced": (f"{OPEN}```json\n{CALL}\n```{CLOSE}", "", LOOK),
    "bare": (CALL, "", LOOK),
    "bare and fenced": (f"```json\n{CALL}\n```", "", LOOK),
    "bare with another key": ('{"tool": "look", "parameters": {"at": "hay"}}', "", LOOK),
    "parameters": (f'{OPEN}{{"name": "look", "parameters": {{"at": "hay"}}}}{CLOSE}', "", LOOK),
    "OpenAI's form": (f'{OPEN}{{"type": "function", "function": {CALL}}}{CLOSE}', "", LOOK),
    "arguments as text": (f'{OPEN}{{"name": "look", "arguments": "{{\\"at\\": \\"hay\\"}}"}}{CLOSE}', "", LOOK),
    "no arguments": (f'{OPEN}{{"name": "look"}}{CLOSE}', "", [("look", {})]),
    "null arguments": (f'{OPEN}{{"name": "look", "arguments": null}}{CLOSE}', "", [("look", {})]),
    "a brace too few": (f'{OPEN}{{"name": "look", "arguments": {{"at": "hay"}}{CLOSE}', "", LOOK),
    "two braces too few": (f'{OPEN}{{"name": "look", "arguments": {{"at": "hay"{CLOSE}', "", LOOK),
    "a comma too many": (f'{OPEN}{{"name": "look", "arguments": {{"at": "hay",}},}}{CLOSE}', "", LOOK),
    "Python's quotes": (f"{OPEN}{{'name': 'look', 'arguments': {{'at': 'hay'}}}}{CLOSE}", "", LOOK),
    "a line break in a string": (f'{OPEN}{{"name": "look", "arguments": {{"at": "a\nb"}}}}{CLOSE}', "",
                                 [("look", {"at": "a\nb"})]),
    "an unknown tool": (f'{OPEN}{{"name": "fly"}}{CLOSE}', "", [("fly", {})]),
    "nonsense": (f"{OPEN}fly to the moon{CLOSE} now", f"{OPEN}fly to the moon{CLOSE} now", []),
    "arguments that are no object": (f'{OPEN}{{"name": "look", "arguments": [1]}}{CLOSE}',
                                     f'{OPEN}{{"name": "look", "arguments": [1]}}{CLOSE}', []),
    "an open tag alone": (f"see {OPEN}", f"see {OPEN}", []),
    "half a tag": ("a <tool_ca", "a <tool_ca", []),
    "other tags": ("<b>a</b> <tool> {x}", "<b>a</b> <tool> {x}", []),
    "JSON that is an answer": ('{"city": "Cusco"}', '{"city": "Cusco"}', []),
    "bare with an unknown name": ('{"name": "Cusco"}', '{"name": "Cusco"}', []),
    "bare, and cut off": ('{"name": "lo', '{"name": "lo', []),
    "a bare call that is no object": ('{"name": "look" and so on', '{"name": "look" and so on', []),
    "nothing": ("", "", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_calls_and_text_are_told_apart(case: str) -> None:
    written, text, calls = CASES[case]
    assert read(written) == (text, calls)


@given(st.sampled_from(sorted(CASES)), st.data())
def test_any_split_gives_the_same(case: str, data: st.DataObject) -> None:
    written, text, calls = CASES[case]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)), max_size=8)))
    pieces = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    assert read(*pieces) == (text, calls)


@given(st.text(alphabet="<>/{}[]\"':, \ntool_calname`json", max_size=60))
def test_nothing_breaks_it(written: str) -> None:
    text, calls = read(*written)
    if OPEN not in written and not calls:
        assert text == written


def test_text_is_not_held_back() -> None:
    reader = ToolText(NAMES)
    assert list(reader.feed("Hay")) == ["Hay"]
    assert list(reader.feed(" is <")) == [" is "]
    assert list(reader.feed("b>")) == ["<b>"]
    assert list(reader.feed('{"name": "look"}')) == ['{"name": "look"}']  # an object in the middle is text


def test_an_object_that_is_no_call_is_given_out_as_soon_as_it_is_known() -> None:
    reader = ToolText(NAMES)
    assert list(reader.feed('{"na')) == []
    assert list(reader.feed('me": "Cu')) == ['{"name": "Cu']


def test_deep_nesting_is_text() -> None:
    deep = OPEN + "[" * 100_000
    assert read(deep) == (deep, [])
