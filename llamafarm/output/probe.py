"""A probe in words, and as JSON: what `lf models probe --json` writes of each model."""

from __future__ import annotations

from llamafarm.core import display
from llamafarm.core.types import JsonValue
from llamafarm.history.codec import encode
from llamafarm.history.probe import Probe


def heading(probe: Probe) -> str:
    """What was probed, when, and what came of it, in a line."""
    subject = probe.subject
    marks = f"{probe.count('yes')} ✓, {probe.count('no')} ✗, {probe.count('untold')} not told"
    took = f"{probe.tokens:,} tokens, {display.seconds(probe.seconds)}"
    left = "" if probe.ended else ", not to its end"
    return f"{probe.model} ({subject.model_id} at {subject.server}), {probe.day}: {marks} · {took}{left}"


def probe_object(probe: Probe) -> dict[str, JsonValue]:
    """The probe: `mark` of a finding is `yes`, `no` or `untold`; `ended` is false where it did not come to its end."""
    subject = probe.subject
    return {
        "model": probe.model,
        "server": subject.server,
        "provider": subject.provider,
        "model_id": subject.model_id,
        "probed_at": probe.probed_at.isoformat(),
        "day": probe.day,
        "ended": probe.ended,
        "tokens": probe.tokens,
        "long_prompt_words": probe.long_tokens,
        "seconds": probe.seconds,
        "findings": encode(probe.findings),
    }
