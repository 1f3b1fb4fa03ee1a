"""Our JSON is JSON: whatever is in a value, a strict reader takes it."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core import strict_json
from llamafarm.core.types import Timings
from tests.history.database.strategies import TEXTS

ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(ANY)
def test_a_strict_reader_takes_it(value: Any) -> None:
    orjson.loads(strict_json.dumps(value, ensure_ascii=True).replace("\\ud", "\\u0").encode())


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("around", [lambda n: n, lambda n: [n], lambda n: {"a": {"b": (n, 1.5)}}])
def test_a_number_that_is_not_finite_is_null(number: float, around: Any) -> None:
    written = strict_json.dumps(around(number), ensure_ascii=True)
    assert orjson.loads(written) == orjson.loads(strict_json.dumps(around(None)))


def test_what_is_finite_is_written_as_json_writes_it() -> None:
    assert strict_json.dumps({"é": [1, 2.5, None]}, indent=1) == '{\n "é": [\n  1,\n  2.5,\n  null\n ]\n}'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        strict_json.dumps({"a": object()})
    assert strict_json.dumps({"a": Timings()}, default=repr).startswith('{"a": "Timings')
