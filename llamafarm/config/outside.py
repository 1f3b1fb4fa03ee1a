"""Which addresses are of the internet at large: no machine's own, no network's own, no cloud's inner one. Pure."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from llamafarm.core.addresses import is_local_name

# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16: metadata, under a public address.
CLOUDS = IPv4Network("168.63.129.16/32")
PROTOCOL = IPv4Network("192.0.0.0/24")  # RFC 6890; a cloud has its metadata in it
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def is_outside(address: str) -> bool:
    """Whether the IP address `address` is one of the internet at large, also where it wraps another one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(found) if isinstance(found, IPv6Address) else found
    return (
        inner.is_global
        and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified or inner.is_loopback)
        and not (isinstance(inner, IPv6Address) and inner.is_site_local)
        and not (isinstance(inner, IPv4Address) and (inner in CLOUDS or inner in PROTOCOL))
    )


def _inner(address: IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that `address` leads to, where it is a way to one."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def names_inside(url: str) -> bool:
    """Whether the host of `url`, as it is written, is none of the internet at large; other names must be looked up.

    Numbers count as a resolver reads them: 127.1, 2130706433, 0x7f000001 and 0177.0.0.1 are all 127.0.0.1.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return True
    if not host or is_local_name(host):
        return True
    try:
        return not is_outside(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        return ":" in host and not is_outside(host)
