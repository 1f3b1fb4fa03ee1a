import pytest

from llamafarm.core.errors import BadAnswer
from llamafarm.core.events import Event, ReasoningDelta, TextDelta, UsageReported
from llamafarm.core.types import Usage
from llamafarm.providers.answers.deltas import Arrived, arrived
from llamafarm.providers.wire.thinking import Piece

TOLD = UsageReported(at=1.0, usage=Usage())


def text(said: str) -> TextDelta:
    return TextDelta(at=1.0, text=said)


def test_only_what_came_together_is_put_together() -> None:
    def fill(came: Arrived) -> None:
        came.reasoning("h")
        came.pieces([Piece("m", reasoning=True), Piece("a", reasoning=False)])
        came.text("b")
        came.add(TOLD)
        came.text("c")
        came.reasoning("oh")

    thought = [ReasoningDelta(at=1.0, text=said) for said in ("hm", "oh")]
    assert list(arrived(1.0, fill)) == [thought[0], text("ab"), TOLD, text("c"), thought[1]]
    assert list(arrived(1.0, lambda _: None)) == []


def test_what_came_before_an_error_is_told_before_it() -> None:
    def broken(came: Arrived) -> None:
        came.text("a")
        came.text("b")
        raise BadAnswer("It broke.", hint="")

    seen: list[Event] = []
    with pytest.raises(BadAnswer):
        seen.extend(arrived(1.0, broken))
    assert seen == [text("ab")]
