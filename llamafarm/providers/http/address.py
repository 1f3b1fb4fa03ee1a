"""The addresses of requests, made from a project file's base_url."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote

import httpx

ADDRESSES = 256  # as many models as anybody asks at one time


@lru_cache(ADDRESSES)
def endpoint(base_url: str, path: str, *, default: str = "", drop: tuple[str, ...] = ()) -> str:
    """The address of `path` under `base_url`, whose query goes behind it and whose fragment means nothing.

    `default` is the path where `base_url` has none of its own; endings among `drop` are left out. What is written
    percent-encoded stays so. An address that can't be read is given back as it is: to call it fails, and says so.
    """
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        return base_url
    own, mark, query = url.raw_path.decode().partition("?")
    own = own.rstrip("/") or default
    for ending in drop:
        own = own.removesuffix(ending).rstrip("/")
    return str(url.copy_with(raw_path=f"{own}{path}{mark}{query}".encode() or b"/", fragment=None))


def without_user(url: str) -> str:
    """`url` without a user name and password in it."""
    try:
        address = httpx.URL(url) if "@" in url else None
    except httpx.InvalidURL:
        return url
    return str(address.copy_with(userinfo=b"")) if address and address.userinfo else url


def user_of(url: str) -> str | None:
    """The user name and password in `url`, as `name:password`; None where there are none."""
    try:
        info = httpx.URL(url).userinfo.decode() if "@" in url else ""
    except httpx.InvalidURL:
        return None
    name, _, password = info.partition(":")
    return f"{unquote(name)}:{unquote(password)}" if info else None


def host_and_port(url: str) -> str:
    """Host and port as people write them; what can't be read is given back without what stands before an `@`."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        return url.partition("://")[2].rpartition("@")[2].partition("/")[0]
    host = f"[{address.host}]" if ":" in address.host else address.host
    return host if address.port is None else f"{host}:{address.port}"
