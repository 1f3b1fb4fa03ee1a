"""The size and depth of a JSON text, however it is cut into pieces."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.server.security.shape import MAX_DEPTH, Shape

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text('ab"\\[]{},: é日\n'),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text('k"\\,[{', max_size=4), inner, max_size=5),
    max_leaves=30,
)


def fed(text: bytes, cuts: list[int], most: int = 100_000) -> str | None:
    shape = Shape(most)
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        if (why := shape.trouble(text[begin:end])) is not None:
            return why
    return None


def counted(value: Any) -> int:
    """Lists, objects, texts and names, and the commas between them."""
    match value:
        case str():
            return 1
        case list():
            return 1 + max(len(value) - 1, 0) + sum(map(counted, value))
        case dict():
            return 1 + max(len(value) - 1, 0) + len(value) + sum(map(counted, value.values()))
        case _:
            return 0


@given(VALUES, st.data())
def test_every_cut_gives_the_same_count(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    wanted = counted(value)
    assert fed(text, cuts, wanted) is None
    if wanted:
        assert fed(text, cuts, wanted - 1) is not None


@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_taken(text: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    assert (fed(text, cuts) is None) == (fed(text, []) is None)


REFUSED = {
    "lists in lists": (b"[" * (MAX_DEPTH + 1), "levels deep"),
    "objects in objects": (b'{"a":' * (MAX_DEPTH + 1), "levels deep"),
    "both": (b'[{"a":' * MAX_DEPTH, "levels deep"),
    "many": (b"[" + b"1," * 200_000, "values"),
    "empty texts": (b'""' * 200_000, "values"),
    "closing": (b"]", "closes more"),
    "digits": (b"1" * 2_000, "digits"),
    "digits in a list": (b'{"a":[0,' + b"9" * 2_000 + b"]}", "digits"),
    "a fraction": (b"0." + b"9" * 2_000, "digits"),
    "UTF-16": (('{"a": "' + "\u5b22" * 9 + '[[[["}').encode("utf-16"), "NUL"),
    "UTF-32": (b"[]".decode().encode("utf-32"), "NUL"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("step", [1, 999, 10**9])
def test_what_is_refused(text: bytes, why: str, step: int) -> None:
    told = fed(text, list(range(step, len(text), step)))
    assert told is not None
    assert why in told


@pytest.mark.parametrize("text", [b'"' + b"[" * 500 + b'"', b'"' + b"," * 200_000 + b'"', b'"' + b'\\"[' * 500 + b'"',
                                  b'"' + b"1" * 9_999 + b'"', b" " * 100_000, b"[" * MAX_DEPTH + b"]" * MAX_DEPTH])  # fmt: skip
def test_what_stands_in_a_text_is_no_structure(text: bytes) -> None:
    assert fed(text, []) is None
    assert fed(text, list(range(7, len(text), 7))) is None


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 500_000, b"[" + b'"",' * 9_000 + b'"' + b'\\"' * 500_000, b'""' * 9_000 + b'"\\']
)
def test_a_text_that_does_not_end_takes_time_by_its_length_alone(text: bytes) -> None:
    began = time.process_time()
    assert fed(text, []) is None
    assert time.process_time() - began < 1.0  # with another start for each quote it would be minutes


@given(VALUES, VALUES, st.data())
def test_a_body_counts_the_same_whole_as_letter_by_letter(first: Any, second: Any, data: st.DataObject) -> None:
    text = json.dumps([first, second], ensure_ascii=data.draw(st.booleans())).encode()
    whole, by_letter = Shape(100_000), Shape(100_000)
    assert whole.trouble(text) is None
    assert all(by_letter.trouble(text[at : at + 1]) is None for at in range(len(text)))
    assert whole.values == by_letter.values
    assert (whole.trouble(b"]") is None) == (by_letter.trouble(b"]") is None)
