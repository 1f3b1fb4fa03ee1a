"""Values to JSON as bytes, whatever models and callers put into them."""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.responses import Response

OPTIONS = orjson.OPT_NON_STR_KEYS


def dumps(value: Any) -> bytes:
    """`value` as JSON. Half a surrogate pair, which UTF-8 can't hold, is escaped; a number beyond 64 bits is kept."""
    try:
        return orjson.dumps(value, option=OPTIONS)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def answer(value: Any) -> Response:
    """`value` as an HTTP answer."""
    return Response(dumps(value), media_type="application/json")
