"""Allows connections to public addresses alone, checked by address at the moment each is made."""

from __future__ import annotations

import socket
from typing import Any

from llamafarm.config.outside import is_outside

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]  # as `socket.getaddrinfo` gives it


class Inside(OSError):
    """The address is one of this machine or its network."""


def outside_socket(info: AddressInfo) -> socket.socket:
    """A socket for one address. Raises Inside where it is not of the internet at large."""
    family, kind, protocol, _, place = info
    if not is_outside(str(place[0])):
        raise Inside(f"{place[0]} is an address of this machine or its network")
    return socket.socket(family, kind, protocol)
