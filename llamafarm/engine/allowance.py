"""Bounds the length of an answer: text, reasoning and tool calls of a lane, over all its turns."""

from __future__ import annotations

from dataclasses import replace

from llamafarm.config.model import NamedModel
from llamafarm.core.errors import answer_too_long
from llamafarm.core.events import Event, ReasoningDelta, TextDelta, ToolCalled, ToolReturned

LEAST_CALL = 64 * 1024  # what a call counts at least: each is held, shown and run by itself


class Allowance:
    """Counts the bytes (UTF-8) of one lane's answer, where its events enter.

    A server that sends without end would fill the memory, and no face could show it.
    """

    __slots__ = ("_left", "_limit", "_over")

    def __init__(self, model: NamedModel) -> None:
        self.begin(model)

    def begin(self, model: NamedModel) -> None:
        """`model` is asked now: nothing has come of its answer."""
        self._limit = self._left = model.answer_bytes
        self._over = False

    def admit(self, event: Event) -> Event:
        """`event`, cut to what may still come. Ask `check` afterwards."""
        match event:
            case TextDelta(text=text) | ReasoningDelta(text=text):
                size = _bytes(text)
                if size > self._left:
                    event = replace(event, text=_cut(text, self._left))
                self._take(size)
            case ToolCalled(call=call):
                self._take(max(LEAST_CALL, _bytes(call.arguments) + _bytes(call.name) + _bytes(call.id)))
            case ToolReturned(text=text):
                self._take(_bytes(text))
            case _:
                pass
        return event

    def check(self) -> None:
        """Raise AnswerTooLong once more has come than may."""
        if self._over:
            raise answer_too_long(self._limit)

    def _take(self, size: int) -> None:
        self._left -= size
        self._over = self._left < 0


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _cut(text: str, size: int) -> str:
    """The beginning of `text` that fits into `size` bytes."""
    return text.encode("utf-8", "surrogatepass")[: max(size, 0)].decode("utf-8", "ignore")
