"""How the page's components are wired, as it is told to the browser."""

from __future__ import annotations

from collections import defaultdict

import httpx

from llamafarm.config import sample_path
from tests.serving import serving


def test_controls_that_move_together_are_heard_by_one_listener() -> None:
    """Two listeners for one output race where one gesture begins both, and the first one's answer can stay."""
    with serving([sample_path("embedded")]) as url:
        told = httpx.get(f"{url}/config").json()
    alone = "routing-dial"  # ticks no box, and has one listener
    kinds = {each["id"]: each["type"] for each in told["components"] if each["props"].get("elem_id") != alone}
    ticked = [d for d in told["dependencies"] if [kinds.get(i) for i, _ in d["targets"]] == ["slider"]]
    assert ticked
    assert not any(dependency["backend_fn"] for dependency in ticked), "a box is ticked in the browser"
    heard = defaultdict(list)
    for dependency in told["dependencies"]:
        if {event for _, event in dependency["targets"]} == {"change"}:
            for output in dependency["outputs"]:
                heard[output].append(dependency)
    assert heard
    assert max(map(len, heard.values())) == 1
