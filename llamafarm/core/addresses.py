"""Where an address leads, as far as it tells: to this machine, into one's own network, elsewhere. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")  # this machine, as people write it
# Names that never mean another's machine: RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`, and what routers give.
LOCAL_NAMES = ("localhost", "localdomain", "local", "lan", "internal", "home.arpa")
_ENDINGS = tuple(f".{name}" for name in LOCAL_NAMES)


def host_of(address: str) -> str:
    """The host in an address; empty where there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host, with or without the brackets of IPv6, is this machine and reached from it alone."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local_name(host: str) -> bool:
    """Whether a host's name is of use in its own network alone."""
    return f".{host}".endswith(_ENDINGS)


def on_own_network(address: str) -> bool:
    """Whether the host in an address is this machine, or one of its network: by its number, or by a name that is of no
    use elsewhere.
    """
    host = host_of(address).rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return bool(host) and ("." not in host or is_local_name(host))


def is_address(text: str) -> bool:
    """Whether an address names a host, and a port that can be."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
