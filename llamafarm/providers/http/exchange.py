"""One request whose answer is read as it comes: what the protocols share."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, NamedTuple

import httpx
import orjson

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import BadAnswer, RequestError
from llamafarm.core.events import Reconnected
from llamafarm.core.types import ChatRequest, JsonValue, SentRequest
from llamafarm.providers.http.address import user_of, without_user
from llamafarm.providers.http.body import RECONNECTED, Body, response_body
from llamafarm.providers.http.client import Client
from llamafarm.providers.http.deadlines import Deadlines
from llamafarm.providers.http.faults import Faults, Refusal
from llamafarm.providers.http.said import words

MAX_BODY = 16 * 1024 * 1024
MAX_REFUSAL = 64 * 1024
LONGEST_SHOWN = 1000
DIGITS = 18
_PICTURE = re.compile(r"(data:[^,]*,)?([A-Za-z0-9+/]+=*)")


class Chunk(NamedTuple):
    """Bytes of an answer, and when they arrived (`time.perf_counter()`)."""

    data: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to one model's server: what is sent, and how its answer is waited for. A GET has no body."""

    model: NamedModel
    client: Client
    request: ChatRequest
    url: str
    body: Mapping[str, JsonValue]
    headers: Mapping[str, str]
    method: Literal["GET", "POST"] = "POST"

    @property
    def faults(self) -> Faults:
        """Makes this request's errors."""
        return Faults(self.model, self.request)

    def sent(self) -> SentRequest:
        """The request as it may be shown: the key is named, not told."""
        shown = dict(self.headers)
        if self.model.api_key:
            shown["Authorization"] = f"Bearer ${self.model.key_variable or 'API_KEY'}"
        body = {name: _short(value) for name, value in self.body.items()}
        return SentRequest(self.method, without_user(self.url), shown, body)

    async def answered(self, deadlines: Deadlines) -> httpx.Response:
        """The response, once its headers have come; to be closed. Raises a ProviderError for any but a 2xx."""
        try:
            content = orjson.dumps(self.body, option=orjson.OPT_NON_STR_KEYS) if self.method == "POST" else None
        except orjson.JSONEncodeError as error:
            raise RequestError(
                f"The request can't be written as JSON: {error}.", hint="Look at the parameters."
            ) from None
        url, headers, connect_s = without_user(self.url), self._headers(), self.model.timeout.connect
        try:
            response = await deadlines.wait(
                self.client.send(
                    self.method,
                    url,
                    content=content,
                    headers=headers,
                    connect_s=connect_s,
                    outside=self.model.outside_only,
                )
            )
        except (httpx.LocalProtocolError, ValueError):
            raise self.faults.unsendable() from None
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise self.faults.unanswered(error) from None
        if 200 <= response.status_code < 300:  # noqa: PLR2004 - the class of success
            return response
        async with aclosing(response):
            refusal = await self._refusal(response, deadlines)
            refused = self.faults.refused(refusal)
            refused.named = tuple(name for name, value in self.body.items() if _is_named(name, value, refusal.text))
            raise refused

    @staticmethod
    def reconnected(response: httpx.Response) -> Iterator[Reconnected]:
        """What there is to tell of the way to `response`."""
        lost_s = response.extensions.get(RECONNECTED)
        if lost_s is not None:
            yield Reconnected(at=time.perf_counter(), lost_s=lost_s)

    def _headers(self) -> dict[str, str]:
        """All headers with the key, or with the name and password of the address: one of the two can be sent, and the
        key is meant.
        """
        if self.model.api_key:
            return {**self.headers, "Authorization": f"Bearer {self.model.api_key.get_secret_value()}"}
        if user := user_of(self.url):
            return {**self.headers, "Authorization": f"Basic {b64encode(user.encode()).decode()}"}
        return dict(self.headers)

    async def read(self, body: Body, deadlines: Deadlines) -> Chunk | None:
        """The next bytes of the answer as they arrive, decompressed; None at its end."""
        try:
            data = await deadlines.read(body)
        except httpx.RequestError as error:
            raise self.faults.interrupted(error) from None
        return Chunk(data, time.perf_counter()) if data else None

    async def whole(self, body: Body, deadlines: Deadlines, limit: int = MAX_BODY) -> bytes:
        """All that is left of the body, up to `limit` bytes."""
        whole = bytearray()
        while len(whole) < limit and (chunk := await self.read(body, deadlines)):
            whole += chunk.data
        return bytes(whole[:limit])

    def records(self, text: str) -> list[dict[str, JsonValue]]:
        """The records in a piece of the answer, most often one. Raises BadAnswer."""
        try:
            record = parse(text)
        except ValueError:
            raise self.faults.unreadable(text) from None
        if isinstance(record, dict):
            return [record]
        if isinstance(record, list) and record and all(isinstance(each, dict) for each in record):
            return [each for each in record if isinstance(each, dict)]
        raise self.faults.not_protocol("JSON that is no chat answer", words(record) or text)

    async def _refusal(self, response: httpx.Response, deadlines: Deadlines) -> Refusal:
        data = await self.whole(response_body(response), deadlines, MAX_REFUSAL)
        text = data.decode("utf-8", "replace")
        try:
            body: JsonValue = orjson.loads(data)
        except orjson.JSONDecodeError:
            body = None
        return Refusal(response.status_code, response.headers, body, text)


def parse(text: str | bytes) -> JsonValue:
    """JSON as servers write it: also with NaN and Infinity, which some do. Raises ValueError."""
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            value = json.loads(text, parse_int=_number)
        except RecursionError:
            raise ValueError("nested too deep") from None
    return value


def _is_named(name: str, value: JsonValue, text: str) -> bool:
    """Whether a server's words name a field of the request, or a field within it."""
    return name in text or (isinstance(value, dict) and any(inner in text for inner in value))


def _number(digits: str) -> int | float:
    """A whole number; one with more digits than any count has is near enough as a float."""
    return int(digits) if len(digits) <= DIGITS else float(digits)


def check_whole(body: bytes, limit: int = MAX_BODY) -> None:
    """Raise BadAnswer where `body`, of which `limit` bytes are read at most, is longer than any real one."""
    if len(body) >= limit:
        raise BadAnswer(
            f"The server sent a body of more than {limit // 1024 // 1024} MiB.",
            hint="Look at what answers at this address.",
        )


def _short(value: JsonValue) -> JsonValue:
    """`value` with pictures told by their size: their bytes are megabytes that nobody reads."""
    match value:
        case dict():
            return {name: _short(each) for name, each in value.items()}
        case list():
            return [_short(each) for each in value]
        case str() if len(value) > LONGEST_SHOWN and (found := _PICTURE.fullmatch(value)):
            size = len(found[2].rstrip("=")) * 3 // 4
            return f"{found[1] or ''}… ({size:,} bytes in base64)"
        case _:
            return value
