from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from llamafarm.learning.evidence import (
    MOST,
    NEWEST,
    Lane,
    Table,
    Votes,
    lane_key,
    table,
)
from llamafarm.learning.labels import Ballot, Choice, Compared, Judged
from llamafarm.learning.model import fit
from llamafarm.learning.policy import Lanes, Router
from tests.learning.worlds import planted

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
THREE = (Lane("a", 1.0), Lane("b", 2.0), Lane("c", 3.0))


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def voted(choice: Choice, best: str | None, shown: str = "abc", *, blind: bool = True) -> Compared:
    return Compared("1", NOON, "Why?", tuple(map(Judged, shown)), Ballot(choice, best, blind))


def cells(made: Table) -> tuple[list[float], list[float]]:
    return made.evidence.scores[0].tolist(), made.evidence.weights[0].round(3).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "ollama"},
        {"model_id": "other"},
        {"system": "Be brief."},
        {"parameters": {"temperature": 0.2, "top_p": 1}},
        {"parameters": {"temperature": 0.1}},
    ],
)
def test_another_model_prompt_or_parameter_is_another_lane(change: dict[str, object]) -> None:
    told: dict[str, object] = {
        "provider": "openai",
        "model_id": "m",
        "system": None,
        "parameters": {"temperature": 0.1, "top_p": 1},
    }
    turned = {**told, "parameters": {"top_p": 1, "temperature": 0.1}}
    assert lane_key(**turned) == lane_key(**told)  # type: ignore[arg-type]  # one table of fields
    assert lane_key(**(told | change)) != lane_key(**told)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize(
    ("vote", "scores"),
    [
        (voted("best", "b"), [0.0, 1.0, 0.0]),
        (voted("tie", None), [0.5, 0.5, 0.5]),
        (voted("bad", None), [0.0, 0.0, 0.0]),
    ],
)
def test_a_vote_on_all_lanes_is_a_label_of_each(vote: Compared, scores: list[float]) -> None:
    assert cells(table([vote], THREE)) == (scores, [0.667] * 3)


def test_the_weights_of_a_vote_are_those_of_one_duel() -> None:
    two = table([voted("best", "a", "ab")], THREE[:2])
    assert two.evidence.weights.sum() == pytest.approx(2.0)
    assert table([voted("best", "b")], THREE).evidence.weights.sum() == pytest.approx(2.0)


def test_a_vote_between_two_of_three_teaches_little() -> None:
    scores, weights = cells(table([voted("best", "a", "ab")], THREE))
    assert scores[0] > 0.5 > scores[1]
    assert weights[2] == 0
    assert 0 < weights[0] == weights[1] <= 0.25
    even, _ = cells(table([voted("tie", None, "ab")], THREE))
    assert even[:2] == [0.5, 0.5]


def test_all_that_were_shown_being_bad_is_a_label() -> None:
    scores, weights = cells(table([voted("bad", None, "ab")], THREE))
    assert (scores, weights) == ([0.0, 0.0, 0.0], [1.0, 1.0, 0.0])


def test_checks_count_whole_and_grades_half() -> None:
    row = Compared("1", NOON, "x", (Judged("a", 0.5), Judged("b", None, {"j": 0.9}), Judged("c", 1.0, {"j": 0.4})))
    scores, weights = cells(table([row], THREE))
    assert weights == [1.0, 0.5, 1.5]
    assert scores == pytest.approx([0.5, 0.9, (1.0 + 0.5 * 0.4) / 1.5])


@pytest.mark.parametrize(("votes", "rows"), [("all", 2), ("blind", 1), ("open", 1)])
def test_blind_votes_and_open_ones_are_told_apart(votes: Votes, rows: int) -> None:
    both = [voted("best", "a", blind=True), voted("best", "b", blind=False)]
    assert len(table(both, THREE, votes).rows) == rows


def test_a_judge_is_calibrated_by_what_checks_say() -> None:
    always = [
        Compared(str(each), at(each), "x", (Judged("a", float(each % 2), {"kind": 0.9}), Judged("b")))
        for each in range(40)
    ]
    alone = Compared("z", at(99), "y", (Judged("a", None, {"kind": 0.9}), Judged("b", None, {"other": 0.9})))
    made = table([*always, alone], THREE[:2])
    assert made.evidence.scores[-1].tolist() == pytest.approx([0.5, 0.9], abs=0.02)


def test_grades_alone_open_nothing() -> None:
    world = planted(200, 0)
    keys = [Lane(name, float(cost)) for name, cost in zip(world.lanes, world.costs, strict=True)]

    def rows(*, checked: bool) -> list[Compared]:
        return [
            Compared(
                f"{row:04}",
                at(row),
                prompt,
                tuple(
                    Judged(name, score if checked else None, {} if checked else {"j": score})
                    for name, score in zip(world.lanes, world.scores[row].tolist(), strict=True)
                ),
            )
            for row, prompt in enumerate(world.prompts)
        ]

    graded, checked = (
        Router.of(fit(table(rows(checked=each), keys).evidence), Lanes.of(world.costs)) for each in (False, True)
    )
    assert (graded.closed, graded.comparisons) == ("few", 0)
    assert (checked.closed, checked.comparisons) == (None, 200)


def test_a_changed_model_starts_at_the_old_mean_and_the_others_stay() -> None:
    world = planted(120, 0)
    rows = [
        Compared(
            f"{row:04}",
            at(row),
            prompt,
            tuple(map(Judged, "abc", world.scores[row].tolist())),
        )
        for row, prompt in enumerate(world.prompts)
    ]
    same = table(rows, THREE)
    changed = table(rows, (Lane("a", 1.0), Lane("b2", 2.0, before="b"), Lane("c", 3.0)))
    assert same.new == frozenset()
    assert changed.new == frozenset({"b2"})
    assert changed.evidence.weights[:, 1].sum() == 0
    assert np.array_equal(changed.evidence.scores[:, [0, 2]], same.evidence.scores[:, [0, 2]])
    assert np.array_equal(changed.evidence.weights[:, [0, 2]], same.evidence.weights[:, [0, 2]])
    start = changed.evidence.starts[1]
    assert start.weight == 4
    assert start.mean == pytest.approx((world.scores[:, 1].sum() + 1) / 122)
    old, new = fit(same.evidence), fit(changed.evidence)
    asked = list(same.evidence.prompts[:20])
    assert np.array_equal(old.expect(asked).mean[:, [0, 2]], new.expect(asked).mean[:, [0, 2]])
    assert new.means[1] == pytest.approx(start.mean)


def test_a_lane_of_another_project_counts_for_nothing() -> None:
    row = Compared("1", NOON, "x", (Judged("a", 1.0), Judged("elsewhere", 0.0), Judged("b", 0.0)))
    assert cells(table([row], THREE[:2])) == ([1.0, 0.0], [1.0, 1.0])


def test_the_newest_are_kept_and_of_the_older_the_most_diverse() -> None:
    same = [Compared(f"{each:05}", at(each), "the same again", (Judged("a", 1.0),)) for each in range(1200)]
    other = Compared("00005x", at(5), "quantum chromodynamics", (Judged("a", 0.0),))
    recent = [Compared(f"9{each:05}", at(5000 + each), "the same again", (Judged("a", 1.0),)) for each in range(NEWEST)]
    made = table([*recent, *same, other], THREE)
    assert len(made.rows) == MOST
    assert made.rows[-NEWEST:] == tuple(recent)
    assert other in made.rows
    assert [row.at for row in made.rows] == sorted(row.at for row in made.rows)


def test_comparisons_that_nobody_judged_are_no_evidence() -> None:
    assert len(table([Compared("1", NOON, "x", (Judged("a"), Judged("b")))], THREE).rows) == 0
    assert len(fit(table([], THREE).evidence).means) == 3


def test_a_vote_on_all_lanes_stays_one_when_a_model_changes() -> None:
    rows = [
        Compared(
            str(at),
            datetime(2026, 11, 1, tzinfo=UTC),
            f"prompt {at}",
            (Judged("a"), Judged("b"), Judged("c")),
            Ballot("best", "a", blind=True),
        )
        for at in range(6)
    ]
    same = table(rows, THREE).evidence
    once = table(rows, (Lane("a", 1.0), Lane("b2", 2.0, before="b"), Lane("c", 3.0))).evidence
    twice = table(rows, (Lane("a", 1.0), Lane("b3", 2.0, before="b2", earlier=("b",)), Lane("c", 3.0))).evidence
    for changed in (once, twice):
        assert changed.weights[:, 1].sum() == 0
        assert np.array_equal(changed.weights[:, [0, 2]], same.weights[:, [0, 2]])
        assert np.array_equal(changed.scores[:, [0, 2]], same.scores[:, [0, 2]])
    swapped = table(rows, (Lane("b", 1.0, before="a"), Lane("a", 2.0, before="b"), Lane("c", 3.0))).evidence
    assert np.array_equal(swapped.scores[:, [1, 0, 2]], same.scores)
