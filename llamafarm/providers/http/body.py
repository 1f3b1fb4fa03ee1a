"""The body of a response, read as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, cast

import httpx

EXTENSION = "body"
RECONNECTED = "reconnected"  # seconds that a connection took which turned out to be closed; None where there was none


class Body(Protocol):
    """The bytes of one response, decompressed."""

    @property
    def ended(self) -> bool:
        """Whether all of it has come, so that its connection is free again."""
        ...

    async def read(self) -> bytes:
        """The next bytes as they arrive, none at the end. Raises httpx's TransportError and DecodingError."""
        ...

    def close(self) -> None:
        """Let go of the connection at once; whoever reads gets a TransportError."""
        ...


def response_body(response: httpx.Response) -> Body:
    """The body of a response that `Client.send` gave: the transport's own, or any transport's through httpx.

    httpx hands on each piece through four generators, which take longer than all else that a token takes.
    """
    if EXTENSION not in response.extensions:
        response.extensions[EXTENSION] = Iterated(response)
    return cast(Body, response.extensions[EXTENSION])


class Iterated:
    """The body of a response of any transport, such as `httpx.MockTransport`."""

    def __init__(self, response: httpx.Response) -> None:
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()
        self._next: asyncio.Future[bytes] | None = None
        self._closed = False
        self.ended = False

    async def read(self) -> bytes:
        """See `Body`."""
        self._next = asyncio.ensure_future(anext(self._pieces, b""))
        try:
            data = await self._next
        except asyncio.CancelledError:
            if self._closed:
                raise httpx.ReadError("The response was closed.") from None
            raise
        self.ended = not data
        return data

    def close(self) -> None:
        """See `Body`; its owner closes the response itself."""
        self._closed = True
        if self._next is not None:
            self._next.cancel()
