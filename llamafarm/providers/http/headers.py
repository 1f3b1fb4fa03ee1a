"""Reads the headers of a refusal: the request's id, when to try again, and whether that is pointless."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "cf-ray")


def request_id(headers: Mapping[str, str]) -> str | None:
    """The server's name for the request, where it gives one."""
    return next((headers[name] for name in REQUEST_IDS if name in headers), None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from seconds or an HTTP date (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)


def asked_enough(headers: Mapping[str, str]) -> bool:
    """Whether the server says that asking again does not help, or that it has asked again itself."""
    return headers.get("x-should-retry", "").lower() == "false"
