"""Answers as a sweep gets them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Timings
from llamafarm.experiments.stats.sample import Judged, Sample


def reply(text: str = "", **settings: Any) -> Reply:
    whole: dict[str, Any] = {
        "lane": "m", "asked": "m", "model": "m", "provider": "openai", "model_id": "id", "status": "done",
        "text": text, "finish_reason": "stop", "cost": Cost(Decimal("0.001"), "table"),
        "timings": Timings(ttft_s=0.2, total_s=1.0, tokens_per_s=40.0),
    }  # fmt: skip
    return Reply(**whole | settings)


def samples(texts: Sequence[str], prompt: int = 0, **settings: Any) -> list[Sample]:
    return [Sample(prompt, at, reply(text), **settings) for at, text in enumerate(texts)]


def judged(score: float | None) -> Judged:
    return Judged(score, Cost(Decimal("0.01"), "table"))
