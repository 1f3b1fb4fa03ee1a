"""HTTP/1.1 as uvicorn reads it, with bounds on what comes before a request is known.

uvicorn and httptools bound neither the size of a request's head (request line and headers) nor the time that a request
may take to come, and nobody's key was looked at by then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from llamafarm.server.http.offers import PlainProtocol

MAX_HEAD = 64 * 1024
HEAD_S = 10.0
BODY_S = 120.0  # 8 MiB over a slow line
UNFINISHED = 256  # connections whose head has not come yet that are kept at once: the oldest go first
FRESH_S = 1.0  # a head that is on its way: what many clients open at once is not given up
SLICE = 16 * 1024


class Unfinished:
    """The connections that have not said yet what they want, oldest first."""

    def __init__(self, most: int = UNFINISHED) -> None:
        self._most = most
        self._since: OrderedDict[BoundedProtocol, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._since)

    def add(self, connection: BoundedProtocol, now: float) -> None:
        """Keep one more; where there are too many, the one that has waited longest is given up."""
        self._since[connection] = now
        oldest, since = next(iter(self._since.items()))
        if len(self._since) > self._most and now - since > FRESH_S:
            oldest.give_up(HTTPStatus.SERVICE_UNAVAILABLE)

    def remove(self, connection: BoundedProtocol) -> None:
        """Its head is here, or it is gone."""
        self._since.pop(connection, None)


class BoundedProtocol(PlainProtocol):
    """A head has at most MAX_HEAD bytes (431) and `head_s` seconds from when it may begin (408), a body `body_s`.

    The same bound in bytes is for what stands between the pieces of a body and behind it: lengths, extensions and
    trailers, which nobody reads. What comes is fed in slices, so that too much is noticed before it is kept.
    """

    def __init__(
        self, *arguments: Any, unfinished: Unfinished, head_s: float = HEAD_S, body_s: float = BODY_S, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._unfinished = unfinished
        self._head_s = head_s
        self._body_s = body_s
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = True
        self._unknown = 0  # bytes since the last that became a request or a piece of its body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A connection: its first head may begin."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whichever side closed it."""
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, no more at a time than may be unknown."""
        view = memoryview(data)
        while view and not self.transport.is_closing():
            room = min(SLICE, MAX_HEAD - self._unknown)
            piece, view = bytes(view[:room]), view[room:]
            self._unknown += len(piece)
            if self._in_head and self._deadline is None:
                self._await_head()
            super().data_received(piece)
            if self._unknown >= MAX_HEAD:
                self.give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes behind the body is none."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request is known; its body comes next, whose size the application bounds."""
        self._in_head, self._unknown = False, 0
        self._settle()
        self._deadline = self.loop.call_later(self._body_s, self._too_late)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unknown = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is the head of another request; how long one may wait for it, uvicorn says."""
        self._in_head, self._unknown = True, 0
        self._settle()
        super().on_message_complete()

    def give_up(self, status: HTTPStatus) -> None:
        """Answer `status`, where no other answer has begun, and close."""
        self._settle()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            said = status.phrase.encode()
            head = b"content-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(said)
            self.transport.write(STATUS_LINE[status] + head + said)
        self.transport.close()

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self._head_s, self._too_late)
        self._unfinished.add(self, self.loop.time())

    def _too_late(self) -> None:
        self._settle()
        waits = self._in_head or bool(self.pipeline)
        if waits and self.cycle is not None and not self.cycle.response_complete:
            self._await_head()  # an answer is under way: what comes behind it may wait as long
        else:
            self.give_up(HTTPStatus.REQUEST_TIMEOUT)

    def _settle(self) -> None:
        self._unfinished.remove(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded(*, head_s: float = HEAD_S, body_s: float = BODY_S, most: int = UNFINISHED) -> Any:
    """What `uvicorn.Config(http=…)` takes to make the connections of one server, which are bounded together."""
    return partial(BoundedProtocol, unfinished=Unfinished(most), head_s=head_s, body_s=body_s)
