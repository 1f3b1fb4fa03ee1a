"""How this server was started: what the page and the API need to know of it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`host` and `port` are where the server listens; `api_keys`, where there are any, are asked of callers.

    `trust_uploads`: files that come from a browser may be trusted also where `host` is not loopback.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    trust_uploads: bool = False
    api_keys: tuple[SecretStr, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"
