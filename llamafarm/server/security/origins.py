"""Which requests another site's page has caused.

Browsers say so themselves, in ways that a page can't change: `Origin` (RFC 6454) with what scripts ask of other origins
and with all that is posted; `Sec-Fetch-Site`, `-Mode` and `-Dest` (W3C, Fetch Metadata) with everything. Programs send
none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

LOOKED_AT = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
OWN_SITES = (None, "same-origin", "none")  # `none`: a person typed the address, or opened it from elsewhere
READING = ("GET", "HEAD")


def is_foreign(method: str, headers: Mapping[bytes, str], allowed: Collection[str]) -> bool:
    """Whether a page of another origin is behind a request with these headers; those in `allowed` count as own.

    A link on another site that a person follows is no such request: what it opens, its page can't read.
    """
    origin, host = headers.get(b"origin"), headers.get(b"host", "")
    if origin is not None:
        return origin not in (f"http://{host}", f"https://{host}") and origin not in allowed
    if headers.get(b"sec-fetch-site") in OWN_SITES:
        return False
    followed = headers.get(b"sec-fetch-mode") == "navigate" and headers.get(b"sec-fetch-dest") == "document"
    return not (followed and method in READING)
