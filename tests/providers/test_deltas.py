from collections.abc import Iterator

import pytest

from llamafarm.errors import BadAnswer
from llamafarm.events import Event, Finished, ReasoningDelta, TextDelta, UsageReported
from llamafarm.providers.deltas import joined
from llamafarm.types import Usage


def text(at: float, said: str) -> TextDelta:
    return TextDelta(at=at, text=said)


def test_only_what_came_together_is_put_together() -> None:
    thought, told = ReasoningDelta(at=1.0, text="hm"), UsageReported(at=2.0, usage=Usage())
    events = [thought, thought, text(1, "a"), text(1, "b"), text(2, "c"), told, text(2, "d"), text(2, "e")]
    end = Finished(at=2.0, reason="stop")
    assert list(joined([*events, end, end])) == [
        ReasoningDelta(at=1.0, text="hmhm"), text(1, "ab"), text(2, "c"), told, text(2, "de"), end, end,
    ]  # fmt: skip
    assert list(joined([])) == []


def test_what_came_before_an_error_is_told_before_it() -> None:
    def broken() -> Iterator[Event]:
        yield text(1, "a")
        yield text(1, "b")
        raise BadAnswer("It broke.", hint="")

    seen: list[Event] = []
    with pytest.raises(BadAnswer):
        seen.extend(joined(broken()))
    assert seen == [text(1, "ab")]
