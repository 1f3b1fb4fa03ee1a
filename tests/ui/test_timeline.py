"""A lane's time as a bar: what is in it, and how long each part is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llamafarm.core.reply import Reply
from llamafarm.core.types import Timings
from llamafarm.ui.compare.timeline import scale_of, spans_of, timeline

IDLE = Reply("a", "a", "a", "openai", "m", "streaming")


@pytest.mark.parametrize(
    ("spans", "parts"),
    [
        (Timings(), {}),
        (Timings(total_s=2.0), {"waiting": 2.0}),
        (Timings(ttft_s=0.5, total_s=2.0), {"waiting": 0.5, "streaming": 1.5}),
        (Timings(load_s=0.4, ttft_s=0.5, total_s=2.0), {"waiting": 0.1, "loading": 0.4, "streaming": 1.5}),
        (Timings(load_s=9.0, ttft_s=0.5, total_s=2.0), {"loading": 0.5, "streaming": 1.5}),
        (Timings(ttfr_s=0.5, ttft_s=1.5, total_s=2.0), {"waiting": 0.5, "thinking": 1.0, "streaming": 0.5}),
        (Timings(ttfr_s=0.5, total_s=2.0), {"waiting": 0.5, "thinking": 1.5}),
        (Timings(ttft_s=0.5, total_s=3.0, tools_s=1.0), {"waiting": 0.5, "tools": 1.0, "streaming": 1.5}),
        (Timings(ttft_s=2.0, total_s=3.0, tools_s=0.5, held_s=1.0), {"waiting": 1.5, "tools": 1.5}),
        (Timings(ttft_s=0.0, total_s=0.0), {}),
    ],
)
def test_the_parts_of_a_lane(spans: Timings, parts: dict[str, float]) -> None:
    found = dict(spans_of(spans))
    assert found == pytest.approx(parts)
    assert sum(found.values()) <= (spans.total_s or 0.0) + 1e-9


def test_all_lanes_are_on_one_scale() -> None:
    short = replace(IDLE, timings=Timings(ttft_s=1.0, total_s=2.0))
    long = replace(IDLE, timings=Timings(ttft_s=1.0, total_s=8.0))
    scale = scale_of([IDLE, short, long])
    assert scale == 8.0
    widths = [sum(map(float, re.findall(r"width:([\d.]+)%", timeline(each, scale)))) for each in (IDLE, short, long)]
    assert widths == [0.0, 25.0, 100.0]
    assert 'aria-label="Time line: waiting 1.00 s, streaming 7.00 s"' in timeline(long, scale)
    assert "nothing measured" in timeline(IDLE, 0.0)
