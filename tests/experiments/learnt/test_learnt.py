"""From a history to a router over named models: what it suggests, why, what it rests on, and what it never counts."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from llamafarm.experiments.learnt.dialled import dialled
from llamafarm.experiments.learnt.gathered import gather, waiting
from llamafarm.experiments.learnt.learnt import columns_of
from llamafarm.experiments.learnt.metered import metered
from llamafarm.experiments.learnt.state import state_of
from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import Store, open_store
from llamafarm.history.model import Vote
from llamafarm.history.suggested import Suggested
from llamafarm.routing import choose, suggest
from llamafarm.runtime.learner import Learner, learnt_of
from tests.experiments.learnt.made import compared, project
from tests.history.database.made import PROJECT, START, asked, ended, keep

LATER = START + timedelta(days=90)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(file_place(tmp_path / "history.sqlite3")) as opened:
        yield opened


async def test_below_thirty_comparisons_it_says_how_many_there_are(store: Store) -> None:
    await compared(store, 12)
    learnt = await learnt_of(History(store), project())
    route = learnt.route("a poem about the sea")
    assert route.reason.startswith("No evidence yet: 12 of 30 comparisons → ")
    assert route.signals["doubt"] == "few"
    assert not learnt.open
    assert state_of(learnt).missing == ("18 more comparisons with a vote, or with checks, on two models or more.",)


async def test_with_evidence_it_names_the_model_how_sure_and_the_nearest(store: Store) -> None:
    world = await compared(store, 120)
    learnt = await learnt_of(History(store), project())
    assert learnt.open
    routes = {learnt.route(text).model for text in world.prompts[200:260]}
    assert {"coder", "writer"} <= routes
    told = [learnt.route(text) for text in world.prompts[200:260]]
    sure = next(route for route in told if route.model != learnt.incumbent)
    probability = sure.signals["probability"]
    assert isinstance(probability, float)
    assert f"{min(probability, 0.99):.0%} sure to be better than {learnt.incumbent}" in sure.reason
    assert not any("100%" in route.reason for route in told)
    assert "from 120 comparisons; nearest: “" in sure.reason
    assert isinstance(sure.signals["nearest"], list)
    assert len(sure.signals["nearest"]) == 3
    assert sure.signals["known_until"] == (START + timedelta(hours=119, minutes=5)).isoformat()


async def test_auto_uses_it_only_where_the_project_says_so_and_the_gate_is_open(store: Store) -> None:
    world = await compared(store, 20)
    learned = project("  routing: learned\n")
    few = await learnt_of(History(store), learned)
    assert choose("Hi?", learned, few).strategy == "complexity"
    assert "does not show yet that it pays" in choose("Hi?", learned, few).reason
    assert "no history" in choose("Hi?", learned).reason
    await compared(store, 100, first=20)
    enough = await learnt_of(History(store), learned)
    assert choose(world.prompts[300], learned, enough).strategy == "learned"
    assert choose(world.prompts[300], project(), enough).strategy == "complexity"
    assert [route.strategy for route in suggest("Hi?", project(), enough)] == ["complexity", "token_budget", "learned"]


async def test_costs_are_those_that_were_recorded(store: Store) -> None:
    await compared(store, 5)
    learnt = await learnt_of(History(store), project())
    assert learnt.lanes.cost.tolist() == pytest.approx([0.004, 0.003, 0.0005])
    assert learnt.lanes.seconds.tolist() == pytest.approx([1.5, 1.5, 1.5])


async def test_a_budget_of_the_project_sets_the_dial_and_one_too_small_is_told(store: Store) -> None:
    await compared(store, 100)
    history = History(store)
    found = dialled(await learnt_of(history, project("  routing: {strategy: learned, budget: 20}\n")))
    assert found is not None
    assert found.met
    assert found.chosen.usd <= 20
    assert found.best.usd >= found.chosen.usd
    assert [each.usd for each in found.frontier] == sorted((each.usd for each in found.frontier), reverse=True)
    less = await learnt_of(history, project("  routing: {strategy: learned, budget: 1}\n"))
    assert less.over_budget
    assert any("budget" in line for line in state_of(less).missing)


async def test_an_unknown_cost_is_no_zero(store: Store) -> None:
    await compared(store, 60)
    learnt = await learnt_of(History(store), project(names=("coder", "writer", "cheap", "other")))
    assert math.isnan(learnt.lanes.cost[3])
    found = dialled(learnt, per_dollar=1.0)
    assert found is not None
    assert found.unpriced == ("other",)
    assert found.chosen.shares["other"] == 0


async def test_a_changed_model_starts_at_the_old_mean_and_is_new(store: Store) -> None:
    await compared(store, 60)
    before = project()
    changed = before.model_copy(
        update={
            "models": tuple(
                model.model_copy(update={"model": "coder-2"}) if model.name == "coder" else model
                for model in before.models
            )
        }
    )
    old = await learnt_of(History(store), before)
    new = await learnt_of(History(store), changed)
    assert [each.model for each in state_of(new).standings if each.new] == ["coder"]
    assert state_of(new).standings[0].labels == 0
    assert new.router.fit.means[0] == pytest.approx(old.router.fit.means[0], abs=0.06)
    assert new.router.fit.means[1] == old.router.fit.means[1]
    assert new.digest != old.digest


async def test_checks_of_batches_teach_too(store: Store) -> None:
    made = asked("Say hay.", ("coder", "writer", "cheap"), checks=("contains:hay",), kind="batch")
    keep(
        store, made, *(ended(made, name, "Hay." if name == "coder" else "No.") for name in ("coder", "writer", "cheap"))
    )
    found = await gather(History(store), PROJECT)
    assert [row.id for row in found.rows] == [made.id]
    assert found.outcomes[0].scores == {"coder": 1.0, "writer": 0.0, "cheap": 0.0}


async def test_what_waits_is_named_once_a_prompt_the_most_telling_first(store: Store) -> None:
    world = await compared(store, 30)
    await compared(store, 20, first=100, voted=False)
    await compared(store, 1, first=100, voted=False)
    history = History(store)
    learnt = await learnt_of(history, project())
    waits = await waiting(history, learnt.gathered, PROJECT)
    assert {each.prompt for each in waits} == set(world.prompts[100:120])
    following = learnt.next_to_judge(waits)
    assert len(following) == len({each.id for each in following}) == 10


async def test_a_fit_is_kept_until_something_is_judged(store: Store) -> None:
    await compared(store, 3)
    history, learner, farm = History(store), Learner(), project()
    first = await learner.of(history, farm)
    await compared(store, 1, first=50, voted=False)
    assert await learner.of(history, farm) is first is learner.at_hand(farm)
    (newest,) = (await history.find(limit=1)).items
    await history.vote(newest.id, Vote("tie", None, blind=False, voted_at=LATER))
    second = await learner.of(history, farm)
    assert second is not first
    await history.vote(newest.id, None)
    assert await learner.of(history, farm) is not second
    other = project("  routing: learned\n")
    assert learner.at_hand(other) is None


async def test_without_any_label_nothing_is_learnt_and_the_default_stays(store: Store) -> None:
    await compared(store, 2, voted=False)
    found = await Learner().of(History(store), project())
    assert found is not None
    route = found.route("Hi")
    assert (route.model, route.reason) == (
        "cheap",
        "No evidence yet: 0 of 30 comparisons → cheap (the project's default).",
    )


def test_named_models_that_are_the_same_lane_are_one_column() -> None:
    farm = project()
    twice = farm.model_copy(update={"models": (*farm.models, farm.models[0].model_copy(update={"name": "again"}))})
    assert [model.name for model, _ in columns_of(twice)] == ["coder", "writer", "cheap"]


async def test_the_meter_scores_what_was_kept_before_and_not_what_came_after(store: Store) -> None:
    world = await compared(store, 4)
    found = await gather(History(store), PROJECT)
    best = ("coder", "writer", "cheap")[int(world.truth[0].argmax())]
    first = next(each for each in found.outcomes if each.started == START)
    in_time = Suggested("learned", START - timedelta(seconds=1), best, "cheap", 0.8)
    late = Suggested("rule", START + timedelta(seconds=1), best, "cheap")
    unasked = Suggested("constant", START - timedelta(seconds=1), "other", "cheap")
    kept = [(first.comparison, each) for each in (in_time, late, unasked)]
    windows = metered(kept, found.outcomes, until=START + timedelta(days=1))
    assert [(each.strategy, each.suggested, each.covered) for each in windows] == [
        ("constant", 1, 0),
        ("learned", 1, 1),
    ]
    assert windows[1].regret is not None
    assert windows[1].regret.value == 0
    assert metered(kept, found.outcomes, until=START + timedelta(minutes=1)) == ()
