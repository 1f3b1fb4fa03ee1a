"""`lf learn`, `lf replay` and `lf route` on a history that has something to teach."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from llamafarm.history.database.connecting.place import file_place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.history.suggested import Suggested
from llamafarm.runtime import open_history
from tests.cli.conftest import Run
from tests.experiments.learnt.made import compared, project
from tests.history.database.made import PROJECT

COUNT = 60


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a project and 60 judged comparisons of it."""
    place = tmp_path / "history.sqlite3"
    monkeypatch.setenv("LF_DATABASE_URL", f"sqlite:///{place}")

    async def fill() -> None:
        async with open_store(file_place(place)) as store:
            await compared(store, COUNT)
            await compared(store, 20, first=200, voted=False)
            assert await History(store).count() == COUNT + 20

    asyncio.run(fill())
    (tmp_path / "llamafarm.yaml").write_text(project("  routing: learned\n").text, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("taught")
def test_the_state_of_the_evidence_is_told(run: Run) -> None:
    told = json.loads(run("learn", "--json").text)
    assert (told["comparisons"], told["needed"], told["votes"], told["blind_votes"]) == (60, 30, 60, 30)
    assert [each["model"] for each in told["standings"]] == ["coder", "writer", "cheap"]
    assert [each["labels"] for each in told["standings"]] == [60, 60, 60]
    assert len(told["next"]) == 10
    assert told["regret"] == []
    shown = run("learn").text
    assert "default/farm: 60 of 30 comparisons." in shown
    assert "Vote on these next" in shown
    assert told["next"][0]["id"] in shown


@pytest.mark.usefixtures("taught")
def test_a_budget_is_kept_and_the_frontier_falls_in_cost(run: Run) -> None:
    told = json.loads(run("replay", "--budget", "15", "--json").text)
    assert told["budget_met"]
    assert told["chosen"]["usd"] <= 15
    costs = [each["usd"] for each in told["frontier"]]
    assert costs == sorted(costs, reverse=True)
    assert told["best"]["per_dollar"] == 0
    assert "10,000 answers" in run("replay").text
    assert "can't be kept" in run("replay", "--budget", "1").text
    assert run("replay", "--budget", "5", "--per-dollar", "1").code == 2


@pytest.mark.usefixtures("taught")
def test_the_learnt_strategy_stands_beside_the_two(run: Run) -> None:
    told = json.loads(run("route", "Write a poem about the moon, please", "--json").text)
    assert list(told["route"]) == ["complexity", "token_budget", "learned"]
    assert told["route"]["learned"]["signals"]["comparisons"] == COUNT
    assert told["auto"]["strategy"] == (
        "learned" if told["route"]["learned"]["signals"]["gate"]["open"] else "complexity"
    )
    assert "nearest" in run("route", "--why", "Write a poem about the moon, please").text


def test_without_a_history_the_rules_stand_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LF_DATABASE_URL", "off")
    assert list(json.loads(run("route", "Hi?", "--json").text)["route"]) == ["complexity", "token_budget"]
    done = run("learn")
    assert done.code == 2
    assert "Recording is switched off" in done.notes


def test_with_nothing_judged_there_is_nothing_to_replay(run: Run) -> None:
    assert json.loads(run("learn", "--json").text)["comparisons"] == 0
    assert run("replay", "--json").text == "null\n"
    assert "nothing to replay" in run("replay").text


def test_what_was_suggested_is_kept_before_the_first_lane_starts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "llamafarm.yaml").write_text(project().text, encoding="utf-8")
    run("compare", "Hi?", "--json")

    async def kept() -> list[Suggested]:
        async with open_history() as history:
            return [each for _, each in await history.suggestions(PROJECT)]

    found = asyncio.run(kept())
    assert [each.strategy for each in found] == ["complexity", "token_budget", "learned", "constant"]
    assert found[2].incumbent == "cheap"
