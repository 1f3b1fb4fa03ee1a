"""What was suggested is kept with the comparison's beginning, comes back as it was, and goes with the comparison."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from llamafarm.core.types import Route
from llamafarm.history.database.connecting.place import Place
from llamafarm.history.database.history import History
from llamafarm.history.database.store import open_store
from llamafarm.history.model import Began, ProjectRef, Vote
from llamafarm.history.suggested import suggested
from tests.history.database.made import PROJECT, START, asked, ended

RULE = Route("complexity", "fast", "A short question.")
LEARNT = Route(
    "learned",
    "wise",
    "wise, 72 % sure.",
    {
        "incumbent": "fast",
        "probability": 0.72,
        "per_dollar": 20.0,
        "comparisons": 140,
        "known_until": START.isoformat(),
        "fit": "ab12",
    },
)
AT = START - timedelta(milliseconds=3)


def test_the_rules_stand_beside_what_was_learnt_and_the_constant() -> None:
    found = {each.strategy: each for each in suggested((RULE, LEARNT), AT)}
    assert list(found) == ["complexity", "learned", "constant"]
    assert {name: (each.model, each.incumbent) for name, each in found.items()} == {
        "complexity": ("fast", "fast"),
        "learned": ("wise", "fast"),
        "constant": ("fast", "fast"),
    }
    assert (found["learned"].evidence, found["learned"].known_until, found["learned"].fit) == (140, START, "ab12")
    assert found["constant"].known_until == START
    assert [each.strategy for each in suggested((RULE,), AT)] == ["complexity"]
    assert suggested((), AT) == ()


async def test_suggestions_come_back_as_they_were(place: Place) -> None:
    comparison, made = asked(), suggested((RULE, LEARNT), AT)
    odd = tuple(replace(each, model="w\x00\ud83d") for each in suggested((RULE,), AT))
    second = asked()
    async with open_store(place) as store:
        history = History(store)
        store.take(Began(comparison, None, made))
        store.take(Began(comparison, None, made))  # tried again
        store.take(Began(second, None, odd))
        kept = [(comparison.id, each) for each in made]
        assert await history.suggestions(PROJECT) == [*kept, (second.id, odd[0])]
        assert await history.suggestions(ProjectRef("default", "other")) == []
        await history.delete([comparison.id, second.id])
        assert await history.suggestions(PROJECT) == []


async def test_what_teaches_changes_the_mark_and_nothing_else_does(place: Place) -> None:
    async with open_store(place) as store:
        history, marks = History(store), []
        plain, checked = asked(), asked(checks=("contains:hay",))
        marks.append(await history.taught())
        store.take(Began(plain, None))
        store.take(ended(plain))
        assert await history.taught() == marks[0]
        assert not any(marks[0])
        await history.vote(plain.id, Vote("tie", None, blind=True, voted_at=START))
        marks.append(await history.taught())
        store.take(Began(checked, None))
        store.take(ended(checked))
        marks.append(await history.taught())
        await history.vote(plain.id, Vote("bad", None, blind=True, voted_at=START + timedelta(seconds=1)))
        marks.append(await history.taught())
        await history.delete([checked.id])
        marks.append(await history.taught())
    assert len(set(marks)) == len(marks)
