"""From the history to evidence: what was said of each answer, and of whose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from llamafarm.experiments.evidence import compared, evidence_of
from llamafarm.history.model import Asked, Ended, Recorded, Vote
from llamafarm.learning.evidence import lane_key
from tests.history.database.made import START, asked, ended

CHECKED = asked(checks=("contains:hay", "not-contains:meat", "no such check"))
LATER = START + timedelta(hours=1)


def recorded(vote: Vote | None = None, comparison: Asked = CHECKED, **changes: Any) -> Recorded:
    lanes = (ended(comparison, "fast", "Hay."), ended(comparison, "wise", "Grass and meat.", **changes))
    return Recorded(comparison, lanes, vote=vote)


def test_the_share_of_checks_that_passed_is_told_of_each_answer() -> None:
    found = compared(recorded())
    assert found is not None
    assert [answer.passed for answer in found.answers] == [1.0, 0.0]
    assert [answer.lane for answer in found.answers] == [
        lane_key("openai", f"{name}-1", None, {}) for name in ("fast", "wise")
    ]
    assert (found.prompt, found.vote) == ("What do llamas eat?", None)


def test_a_vote_names_the_lane_and_when_it_was_known() -> None:
    found = compared(recorded(Vote("best", "wise", blind=True, voted_at=LATER), asked()))
    assert found is not None
    assert found.vote is not None
    assert found.vote.best == found.answers[1].lane
    assert found.vote.blind
    assert found.at == LATER


@pytest.mark.parametrize(
    "changes",
    [{"status": "failed"}, {"status": "stopped"}, {"staged": {"wise": "500"}}, {"model_id": "fast-1"}],
)
def test_what_is_not_two_whole_answers_of_two_lanes_teaches_nothing(changes: dict[str, Any]) -> None:
    assert compared(recorded(Vote("best", "fast", blind=False, voted_at=LATER), **changes)) is None


def test_what_nobody_judged_teaches_nothing() -> None:
    assert compared(recorded(comparison=asked())) is None
    assert compared(recorded(comparison=asked(checks=("no such check",)))) is None
    assert compared(Recorded(asked())) is None


def test_an_answer_counts_for_the_model_that_gave_it() -> None:
    found = compared(recorded(model="other", model_id="other-9", provider="ollama"))
    assert found is not None
    assert found.answers[1].lane == lane_key("ollama", "other-9", None, {})


@pytest.mark.parametrize("changes", [{"parameters": {"temperature": 0.7}}, {"provider": "lemonade"}])
def test_other_parameters_or_another_provider_are_another_lane(changes: dict[str, Any]) -> None:
    one, other = compared(recorded()), compared(recorded(**changes))
    assert one is not None
    assert other is not None
    assert one.answers[1].lane != other.answers[1].lane
    assert one.answers[0].lane == other.answers[0].lane


def test_another_system_prompt_is_another_lane() -> None:
    one, other = compared(recorded()), compared(recorded(comparison=asked(checks=CHECKED.checks, system="Be brief.")))
    assert one is not None
    assert other is not None
    assert one.answers[0].lane != other.answers[0].lane


async def test_a_stream_of_the_history_becomes_a_stream_of_evidence() -> None:
    async def history() -> AsyncIterator[Recorded]:
        for each in (recorded(), recorded(comparison=asked()), recorded()):
            yield each

    assert [found.prompt async for found in evidence_of(history())] == ["What do llamas eat?"] * 2


def test_lanes_that_ended_are_taken_in_their_order() -> None:
    lanes: tuple[Ended, ...] = recorded().lanes[::-1]
    found = compared(Recorded(CHECKED, lanes))
    assert found is not None
    assert [answer.passed for answer in found.answers] == [0.0, 1.0]
