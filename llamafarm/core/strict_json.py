"""Values as JSON (RFC 8259) that every reader takes: Python's `json` writes `Infinity` and `NaN`, which are none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any


def dumps(
    value: Any,
    *,
    indent: int | None = None,
    ensure_ascii: bool = False,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
) -> str:
    """`value` as JSON, as `json.dumps` writes it; a number that is not finite is null, hence unknown.

    Raises TypeError for what is no JSON and `default` doesn't turn into it.
    """

    def written(whole: Any) -> str:
        return json.dumps(
            whole, indent=indent, ensure_ascii=ensure_ascii, sort_keys=sort_keys, default=default, allow_nan=False
        )

    try:
        return written(value)
    except ValueError:
        return written(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
