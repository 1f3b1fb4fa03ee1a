"""What every provider is: one method."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from llamafarm.types import ChatRequest, Event


class Provider(Protocol):
    """Asks one named model.

    `stream` tells `Sent` first, then what the server says, and `Finished` last; it raises a ProviderError
    where the server does not answer as it should. Close it (`contextlib.aclosing`) to stop the server.
    """

    def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """The events of one answer."""
        ...
