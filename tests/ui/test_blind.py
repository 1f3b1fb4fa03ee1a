"""Lanes without names: whatever a lane is called and however fast it was, nothing of it is in what the page gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.config.model import Loaded
from llamafarm.core.errors import RequestError
from llamafarm.core.events import Failed
from llamafarm.core.types import Route
from llamafarm.engine.lane import Question
from llamafarm.history.model import Recorded, Vote
from llamafarm.history.win_rates import Standing, Tally
from llamafarm.ui.history.view import blind_lanes, blind_view
from llamafarm.ui.history.win_rates import rates_view
from llamafarm.ui.sessions import Session
from llamafarm.ui.show import idle, table_of
from llamafarm.ui.votes.blind import Blind, Secrets, all_ended, blind_head, blind_table
from llamafarm.ui.votes.hiding import ballot_of
from llamafarm.ui.votes.verdict import Ballot, recorded_ballot, revealed
from tests.engine.fakes import model, project
from tests.history.database.made import asked, ended

NAMES = ("zebra", "xylophone", "quark")
AT = datetime(2026, 11, 24, tzinfo=UTC)


def recorded() -> Recorded:
    whole = asked("Why?", NAMES, routes=(Route("complexity", "zebra", "zebra is the default."),))
    failed = Failed(at=0.0, kind="Refused", message="zebra at http://quark refused.")
    return Recorded(
        whole,
        (
            ended(whole, "zebra", "", status="failed", failure=failed),
            ended(whole, "xylophone", "Grass."),
            ended(whole, "quark", "Hay.", model="spare-quark"),
        ),
    )


def session() -> Session:
    found = Session(Loaded(project=project([model(name) for name in NAMES])))
    found.question, found.record = Question.of("Why?"), "0record"
    found.replies = recorded().replies
    found.blind = Blind.of(NAMES)
    return found


def tells(text: str) -> list[str]:
    """What of `text` gives a lane away."""
    clues = (*NAMES, "openai", "refused", "250 ms", "1.50 s", "0.000123", "21", "spare")
    return [clue for clue in clues if clue in text]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=12, unique=True))
def test_every_lane_is_there_once_under_a_letter(lanes: list[str]) -> None:
    blind = Blind.of(lanes)
    assert sorted(blind.order) == sorted(lanes)
    assert [blind.label(lane) for lane in blind.order] == [f"Answer {sign}" for sign in "ABCDEFGHIJKL"[: len(lanes)]]


def test_the_order_is_fresh_each_time() -> None:
    orders = {Blind.of(NAMES).order for _ in range(200)}
    assert len(orders) == 6  # all of them: one is missed once in 10^15 runs


def test_neither_the_page_nor_an_opened_comparison_tells_a_name_or_a_figure() -> None:
    found, whole = session(), recorded()
    blind = Blind.of(whole.replies)
    lanes = blind_lanes(whole, blind)
    shown = [table_of(found), blind_view(whole, blind), *(part for lane in lanes for part in (lane.head, lane.foot))]
    assert tells(" ".join(shown)) == []
    assert "report/" not in " ".join(shown)
    assert sorted(lane.answer for lane in lanes) == ["", "<p>Grass.", "<p>Hay."]
    assert [choice for choice, _ in recorded_ballot(whole, blind).choices()][-2:] == ["a tie", "all bad"]
    assert tells(str(recorded_ballot(whole, blind).choices())) == []
    assert tells(found.named("quark")) == []


def test_answers_come_together() -> None:
    found = session()
    assert found.blind is not None
    waiting = {**found.replies, "quark": replace(found.replies["quark"], status="streaming")}
    assert all_ended(found.blind, found.replies)
    assert not all_ended(found.blind, waiting)
    assert not all_ended(found.blind, {})
    assert "2 of 3 ended" in blind_table(found.blind, waiting)
    assert "lf-running" in blind_table(found.blind, waiting)
    heads = {blind_head(0, reply, shown=False) for reply in waiting.values()}
    assert len(heads) == 1
    assert "no answer" in blind_head(0, found.replies["zebra"], shown=True)


def test_a_seat_is_the_lane_that_is_shown_there() -> None:
    found = session()
    found.chosen = ["zebra", "quark"]
    found.blind = Blind(("quark", "zebra"))
    assert [found.lane_at(index) for index in range(4)] == ["quark", None, "zebra", None]
    found.blind = None
    assert [found.lane_at(index) for index in range(4)] == [*NAMES, None]


def test_a_vote_names_its_lane_and_says_that_it_was_blind() -> None:
    ballot = ballot_of(session())
    assert ballot is not None
    assert ballot.open
    best = {name: ballot.voted(value) for name, value in ballot.choices()}
    assert {vote.lane for vote in best.values()} == {"xylophone", "quark", None}
    assert all(vote.blind for vote in best.values())
    assert (best["a tie"].choice, best["all bad"].choice) == ("tie", "bad")
    for value in (str(ballot.lanes.index("zebra")), "9", "-1", None, "best", 0):
        with pytest.raises(RequestError):
            ballot.voted(value)


def test_the_vote_that_stands_is_chosen() -> None:
    ballot = Ballot("r", ("a", "b"), frozenset("ab"))
    assert ballot.chosen() is None
    assert replace(ballot, vote=Vote("best", "b", blind=False, voted_at=AT)).chosen() == "1"
    assert replace(ballot, vote=Vote("tie", None, blind=False, voted_at=AT)).chosen() == "tie"
    assert replace(ballot, vote=Vote("best", "gone", blind=False, voted_at=AT)).chosen() is None
    assert not Ballot("r", ("a",), frozenset("a")).open
    assert not Ballot(None, ("a", "b"), frozenset("ab")).open


def test_nothing_can_be_voted_on_while_it_runs_or_is_not_kept() -> None:
    found = session()
    found.trouble = "The disk is full."
    told = ballot_of(found)
    assert told is not None  # the names can be told
    assert not told.open
    found.blind = None
    assert ballot_of(found) is None
    found.trouble, found.replies = None, {}
    assert ballot_of(found) is None


def test_after_the_vote_each_letter_has_its_name() -> None:
    assert revealed(Blind(("b", "a")), {"a": "a (x)"}) == "Answer A was b. Answer B was a (x)."


def test_secrets_are_kept_until_they_are_told_and_not_without_bound() -> None:
    secrets = Secrets(limit=2)
    for identity in ("1", "2", "3"):
        secrets.add(identity)
    assert [identity in secrets for identity in ("1", "2", "3")] == [False, True, True]
    secrets.tell(["2", None, "unknown"])
    assert "2" not in secrets


def test_a_reply_that_is_only_thought_of_is_no_answer() -> None:
    assert "waiting" in blind_head(0, idle(model("zebra")), shown=False)


def test_win_rates_have_their_counts_and_intervals() -> None:
    shown = rates_view(
        [Standing("p/q", "fast", Tally(3, 1, 2, 1), Tally(2)), Standing("p/q", "<wise>", Tally(0, 0, 1))]
    )
    assert "Blind votes" in shown
    assert "75% [" in shown
    assert "100% [" in shown  # two of two: Wilson's interval
    assert "&lt;wise&gt;" in shown
    assert "(p/q)" not in shown
    assert "fast (p/q)" in rates_view(
        [Standing("p/q", "fast", named=Tally(1)), Standing("r/s", "fast", named=Tally(1))]
    )
    assert rates_view([]) == ""
    assert rates_view([Standing("p/q", "fast")]) == ""
