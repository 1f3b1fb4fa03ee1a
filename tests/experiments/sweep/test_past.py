"""A sweep that is looked at again: what was found then is found now, and nothing is asked."""

from __future__ import annotations

from llamafarm.core.errors import ServerFailed
from llamafarm.experiments.checks.checks import check_of
from llamafarm.experiments.sweep.findings import Findings
from llamafarm.experiments.sweep.grid import Call, Judge, Prompt
from llamafarm.experiments.sweep.past import past_results
from llamafarm.experiments.sweep.sweep import JUDGED, Result, Sweep
from llamafarm.providers.base import Provider
from tests.engine.fakes import Scripted, Turns, model, project
from tests.experiments.sweep.test_sweep import Kept, asks, grid, ran


def found(results: list[Result]) -> set[tuple[Call, str, bool | None, float | None]]:
    return {
        (
            each.call,
            each.sample.reply.text,
            each.sample.passed,
            each.sample.judged.score if each.sample.judged else None,
        )
        for each in results
    }


async def test_answers_checks_and_grades_are_as_they_were() -> None:
    models = [model("m"), model("j", base_url="http://127.0.0.2:9/v1")]
    plan = grid(models[0], prompts=(Prompt("Why?", checks=(check_of("contains:a"),)),), judge=Judge(models[1], "Kind."))
    saying = Turns(["a"], ["b"], [ServerFailed("It broke.")], ["a c"])
    ledger = Kept()
    providers: dict[str, Provider] = {"m": saying, "j": Scripted("Score: 5")}
    then = await ran(Sweep(plan, asks(project(models), providers), at_once=1, ledger=ledger))
    asked = len(saying.requests)
    now = [each async for each in past_results(plan, ledger.replies)]
    assert found(now) == found(then)
    assert all(each.resumed for each in now)
    assert len(saying.requests) == asked
    before, after = Findings(plan), Findings(plan)
    for each in sorted(then, key=lambda result: result.call.repeat):
        before.add(each)
    for each in now:
        after.add(each)
    assert after.cells() == before.cells()


async def test_what_never_ended_is_left_out() -> None:
    plan, ledger = grid(), Kept()
    await ran(Sweep(plan, asks(project([model("m")]), {"m": Scripted("A")}), ledger=ledger))
    missing = plan.key(Call("m", 1, 0, 1))
    del ledger.replies[missing]
    found = [plan.key(each.call) async for each in past_results(plan, ledger.replies)]
    assert len(found) == 3
    assert missing not in found
    assert not [key for key in found if key.endswith(JUDGED)]
