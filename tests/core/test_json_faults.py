from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.json_faults import JsonFault, json_fault


def fault(text: str) -> JsonFault:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return json_fault(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "column", "closing"),
    [
        ('{"a": 1,\n}', 1, 8, "}"),
        ("[1,\n\n]", 1, 3, "]"),
        ('{"a": [1, 2,],\n"b": 1}', 1, 12, "]"),
        ('{\n  "a": {"b": 2,  \n  }\n}', 2, 15, "}"),
        ('[\n",",\n]', 2, 4, "]"),
        ('[{"a": 1},\r\n\t]', 1, 10, "]"),
        ("[1 ,\t}", 1, 4, "}"),
    ],
)
def test_a_comma_too_many_is_told_where_it_stands(text: str, line: int, column: int, closing: str) -> None:
    found = fault(text)
    assert (found.line, found.column, text[found.position]) == (line, column, ",")
    assert found.message == f"a comma stands before the closing {closing}"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[1,,]", 1, 4),
        ("{,}", 1, 2),
        ("[,]", 1, 2),
        ('{"a":,}', 1, 6),
        ('{"a": 1,\n"b"}', 2, 4),
        ("[1,", 1, 4),
        ("", 1, 1),
        ("],", 1, 1),
        ('["a,]', 1, 2),
    ],
)
def test_all_else_is_told_as_the_decoder_tells_it(text: str, line: int, column: int) -> None:
    found = fault(text)
    assert (found.line, found.column) == (line, column)
    assert "comma" not in found.message


@given(st.text(alphabet='[]{},:" \n\t1a', max_size=12))
def test_every_fault_lies_in_the_text(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        found = json_fault(error)
        assert 0 <= found.position <= len(text)
        assert found.line == text.count("\n", 0, found.position) + 1
