"""Who won how often: every vote is counted once, in the place where it belongs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llamafarm.history.model import Vote
from llamafarm.history.win_rates import Contest, Tally, standings
from tests.history.database.made import START

VOTES = st.one_of(
    st.builds(lambda lane, blind: Vote("best", lane, blind, START), st.sampled_from("abc"), st.booleans()),
    st.builds(lambda choice, blind: Vote(choice, None, blind, START), st.sampled_from(["tie", "bad"]), st.booleans()),
)


def contest(vote: Vote, **models: str) -> Contest:
    return Contest("default/farm", models, vote)


def best(lane: str, *, blind: bool = False) -> Vote:
    return Vote("best", lane, blind=blind, voted_at=START)


def test_wins_losses_ties_and_bad_ones_stand_apart_as_blind_ones_do() -> None:
    found = standings(
        [
            contest(best("a"), a="fast", b="wise"),
            contest(best("b", blind=True), a="fast", b="wise"),
            contest(Vote("tie", None, blind=True, voted_at=START), a="fast", b="wise"),
            contest(Vote("bad", None, blind=False, voted_at=START), a="fast", b="wise"),
            Contest("other/farm", {"a": "fast", "b": "slow"}, best("a")),
        ]
    )
    assert [(each.project, each.model, each.blind, each.named) for each in found] == [
        ("default/farm", "fast", Tally(0, 1, 1, 0), Tally(1, 0, 0, 1)),
        ("default/farm", "wise", Tally(1, 0, 1, 0), Tally(0, 1, 0, 1)),
        ("other/farm", "fast", Tally(), Tally(1)),
        ("other/farm", "slow", Tally(), Tally(0, 1)),
    ]


def test_a_model_does_not_win_against_itself() -> None:
    assert standings([contest(best("a"), a="fast", b="fast"), contest(best("a"), a="fast"), contest(best("a"))]) == []
    (fast, wise) = standings([contest(best("b"), a="fast", b="fast", c="wise")])
    assert (fast.named, wise.named) == (Tally(won=1), Tally(lost=1))


def test_a_vote_for_a_lane_that_has_no_answer_any_more_is_lost_by_the_others() -> None:
    (fast, wise) = standings([contest(best("gone"), a="fast", b="wise")])
    assert (fast.named, wise.named) == (Tally(lost=1), Tally(lost=1))


@given(st.lists(VOTES, max_size=20))
def test_every_vote_counts_once_for_each_model(votes: list[Vote]) -> None:
    found = standings(contest(vote, a="fast", b="wise", c="slow") for vote in votes)
    assert len(found) == (3 if votes else 0)
    for each in found:
        assert each.blind.votes + each.named.votes == len(votes)
        assert each.blind.votes == sum(vote.blind for vote in votes)
    assert sum(each.blind.won + each.named.won for each in found) == sum(vote.choice == "best" for vote in votes)
