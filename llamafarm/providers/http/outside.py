"""Connections to the internet at large alone: looked at where each is made, whatever its name meant a moment before."""

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
