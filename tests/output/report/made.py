"""Runs and comparisons as a report finds them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from llamafarm.core.types import Timings
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.sweep.grid import Grid, Judge, Prompt
from llamafarm.experiments.sweep.grid_plan import grid_plan
from llamafarm.experiments.sweep.sweep import JUDGED
from llamafarm.history.database.store import Store
from llamafarm.history.ids import new_id
from llamafarm.history.model import Run, RunBegan, RunEnded
from tests.engine.fakes import model
from tests.history.database.made import PROJECT, SNAPSHOT, START, asked, ended, keep

EVIL = "</style><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>"


def grid(**changes: Any) -> Grid:
    """Two models, two temperatures, two prompts, three repeats."""
    whole: dict[str, Any] = {
        "models": (model("fast"), model("wise")),
        "parameter": "temperature",
        "values": (0, 0.5),
        "repeats": 3,
        "prompts": (
            Prompt(f"Capital of France? {EVIL}", checks=(check_of("contains:Paris"),)),
            Prompt("Capital of Italy?", checks=(check_of("contains:Rome"),)),
        ),
    } | changes
    return Grid(**whole)


def swept(store: Store, plan: Grid, *, fair: bool = False, judged: bool = False, **changes: Any) -> str:
    """A finished sweep of `plan`: `fast` fails a check at 0.5, `wise` never; gives its id. `changes` are of replies."""
    run = Run(new_id(), "sweep", "t", START, PROJECT, {**grid_plan(plan, "factual"), "fair": fair})
    store.take(RunBegan(run, SNAPSHOT))
    for number, call in enumerate(plan.calls()):
        right = ("Paris", "Rome")[call.prompt]
        text = f"{right}." if call.model == "wise" or call.value == 0 else f"Lyon {call.repeat}"
        ttft = (0.1 if call.model == "fast" else 0.4) + call.repeat / 100
        piece = asked(plan.prompts[call.prompt].text, (call.model,), kind="sweep", run=run.id, item=plan.key(call),
                      started_at=START + timedelta(seconds=number))  # fmt: skip
        own = {"timings": Timings(ttft_s=ttft, total_s=ttft + 1, tokens_per_s=20.0)} | changes
        keep(store, piece, ended(piece, call.model, text, **own))
        if judged:
            said = asked("grade", ("judge",), kind="sweep", run=run.id, item=plan.key(call) + JUDGED)
            keep(store, said, ended(said, "judge", f"Score: {9 if call.model == 'wise' else 3}", asked="wise"))
    store.take(RunEnded(run.id, START + timedelta(minutes=1)))
    return run.id


def with_judge(plan: Grid) -> Grid:
    """`plan` with a judge."""
    return grid(judge=Judge(model("wise"), "Is it right?"), prompts=plan.prompts)


def texts(html: str, words: Iterable[str]) -> list[str]:
    """Those of `words` that are not in the page."""
    return [word for word in words if word not in html]
