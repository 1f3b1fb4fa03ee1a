"""The protocol that every provider implements: one method, `stream`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from llamafarm.core.events import Event
from llamafarm.core.types import ChatRequest
from llamafarm.providers.http.exchange import Exchange


class Provider(Protocol):
    """Asks one named model.

    `stream` tells `Sent` before anything leaves, then what the server says, and `Finished` last; it raises a
    ProviderError where the server does not answer as it should. Close it (`contextlib.aclosing`) to stop the server.
    """

    def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """The events of one answer."""
        ...


class Remote(Provider, Protocol):
    """A provider whose models run on a server that can list them."""

    def listing(self) -> Exchange:
        """The request for the names of the models that the server has."""
        ...
