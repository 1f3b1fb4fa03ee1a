"""Failures inside an answer that began well: which records are errors, whatever their form. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from llamafarm.core.types import JsonValue
from llamafarm.providers.answers.finish import is_failure

MARKS: tuple[tuple[str, JsonValue], ...] = (
    ("object", "error"), ("type", "error"), ("status", "error"), ("status", "failed"), ("level", "error"),
    ("success", False), ("ok", False),
)  # fmt: skip
WORDS = ("detail", "error_message", "errorMessage", "error_msg", "error_description", "fault")
ANSWERS = ("choices", "done", "usage", "response", "content", "delta", "text")
BAD = 400  # the first HTTP status that is an error


def failure_in(record: Mapping[str, JsonValue], kind: str = "message") -> JsonValue:
    """What of a record is an error, as it is; None where nothing is. `kind` is the type of its event."""
    choices = record.get("choices")
    if choices and kind == "message" and not record.get("error"):  # first what comes most often
        first = choices[0] if isinstance(choices, list) else None
        return _in_choice(first) if isinstance(first, dict) else None
    if kind in ("error", "exception") or record.get("error") or record.get("errors"):
        return dict(record)
    if any(record.get(name) == value and isinstance(record.get(name), type(value)) for name, value in MARKS):
        return dict(record)
    if isinstance(record.get("message"), dict) or any(name in record for name in ANSWERS):
        return None
    said = any(record.get(name) for name in WORDS) or (record.get("message") and _is_bad(record))
    return dict(record) if said else None


def _in_choice(choice: Mapping[str, JsonValue]) -> JsonValue:
    """The error within a choice: beside its piece, in it, or as the reason for its end."""
    if "error" not in choice and choice.get("finish_reason") is None and isinstance(delta := choice.get("delta"), dict):
        return {"error": delta["error"]} if delta.get("error") else None  # what comes most often
    for place in (choice, choice.get("delta"), choice.get("message")):
        if isinstance(place, dict) and place.get("error"):
            return {"error": place["error"]}
    reason = choice.get("finish_reason")
    return {"finish_reason": reason} if isinstance(reason, str) and is_failure(reason) else None


def _is_bad(record: Mapping[str, JsonValue]) -> bool:
    codes = (record.get("code"), record.get("status"), record.get("statusCode"), record.get("status_code"))
    return any((isinstance(code, int) and code >= BAD) or (isinstance(code, str) and code) for code in codes)
