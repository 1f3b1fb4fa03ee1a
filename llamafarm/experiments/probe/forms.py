"""Whether a model's server keeps forms: tools, and JSON by a schema. Pure."""

from __future__ import annotations

import json

from llamafarm.core import tokens
from llamafarm.experiments.probe.checks import CHECKS
from llamafarm.experiments.probe.heard import Heard
from llamafarm.experiments.probe.plan import TOOL_TOKENS
from llamafarm.history.probe import Finding

CUT = ("length", "max_tokens", "MAX_TOKENS")
SHOWN = 40  # letters of an answer


def calling(asked: Heard | None, other: Heard) -> Finding:
    """Whether a tool is called, refused, or silently ignored: then the prompt has no place for it.

    `other` is an answer without tools: what a prompt takes beside its words.
    """
    check = CHECKS["tools"]
    if asked is None:
        return check.untold("Not asked.")
    if asked.calls:
        return check.yes(f"It called {asked.calls[0].name}.")
    if asked.refused:
        return check.no(f"Refused: {asked.why}")
    if not asked.done:
        return check.untold(asked.why or "No answer came to its end.")
    if asked.reason in CUT and not asked.text.strip():
        return check.untold(f"What came was cut after {asked.seen} tokens, before a call was whole.")
    if asked.given is None or other.given is None:
        return check.untold("No call, and no counts that tell whether the tool was read.")
    template = other.given - tokens.estimate_messages(other.request.messages)
    more = asked.given - tokens.estimate_messages(asked.request.messages) - template
    if more < TOOL_TOKENS / 4:
        return check.no(
            f"Silently ignored: about {TOOL_TOKENS} tokens of a tool made the prompt {max(more, 0)} longer."
        )
    return check.untold(f"The tool was read ({more} tokens), and the model did not call it.")


def json_kept(asked: Heard | None) -> Finding:
    """Whether an answer has the form of its schema, though the question does not speak of JSON."""
    check = CHECKS["json"]
    if asked is None:
        return check.untold("Not asked.")
    if asked.refused:
        return check.no(f"Refused: {asked.why}")
    if not asked.done or not asked.text.strip():
        return check.untold(asked.why or "No text came.")
    shown = asked.text.strip()[:SHOWN]
    if _has_form(asked.text):
        return check.yes(f"{shown}")
    if asked.reason in CUT and asked.text.lstrip().startswith("{"):
        return check.untold(f"Cut before its end: {shown}")
    return check.no(f"It answered: {shown}")


def _has_form(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and isinstance(value.get("legs"), int)
