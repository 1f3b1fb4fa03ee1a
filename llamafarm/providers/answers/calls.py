"""Tool calls put together from their pieces, by identity. Pure.

Servers tell which call a piece belongs to by an index, by an id, by both or by neither, and some repeat the one or the
other for different calls. A call begins with its name: what comes without one goes on with the call that it fits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from llamafarm.core.errors import answer_too_long
from llamafarm.core.types import JsonValue, ToolCall
from llamafarm.providers.wire.surrogates import mended

NAMES = ("name", "tool_name", "tool")
ARGUMENTS = ("arguments", "input", "parameters", "args")
INNER = ("function", "custom", "functionCall", "function_call")
LONGEST_NAME = 1000  # characters of an id, a name or a reason
LEAST_CALL = 1024  # what a call counts that has no arguments yet
NAMELESS = "(no name)"


@dataclass(slots=True)
class _Call:
    """A call whose pieces are still coming."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    @property
    def written(self) -> str:
        """The arguments so far, as text."""
        return "".join(self.arguments)

    @property
    def whole(self) -> bool:
        """Whether its arguments are all there."""
        try:
            json.loads(self.written)
        except ValueError:
            return False
        return True


class Calls:
    """Takes pieces of calls; `letters` of names and arguments have come in all.

    What is held of calls that are not told yet is at most `limit` bytes (else AnswerTooLong).
    `taken` are the ids of earlier calls of the conversation.
    """

    def __init__(self, limit: int, taken: Collection[str] = ()) -> None:
        self.letters = 0
        self._taken = set(taken)
        self._limit = limit
        self._held = 0
        self._calls: list[_Call] = []
        self._told = 0

    def __bool__(self) -> bool:
        return bool(self._calls or self._told)

    def take(self, piece: Mapping[str, JsonValue], position: int = 0) -> None:
        """Take the next piece, which stands at `position` in its list."""
        inner = next((found for name in INNER if isinstance(found := piece.get(name), dict)), piece)
        named, index = _text(inner, NAMES), _index(piece.get("index", inner.get("index")))
        known = _text(piece, ("id", "call_id", "tool_call_id")) or _text(inner, ("id",))
        arguments = next((inner[name] for name in ARGUMENTS if inner.get(name) is not None), None)
        written = arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
        if not (named or known or written):
            return
        before = len(self._calls)
        call = self._of(known, index, named, position)
        self._hold(len(written) + (LEAST_CALL if len(self._calls) > before else 0))
        call.id, call.name = call.id or known[:LONGEST_NAME], call.name or named[:LONGEST_NAME]
        if written:
            call.arguments.append(written)
        self.letters += len(named) + len(written)

    def told(self, name: str = "call_{number}") -> Iterator[ToolCall]:
        """The calls that have come, whole; those without an id get one by `name`."""
        calls, self._calls, self._held = self._calls, [], 0
        for call in calls:
            known = call.id or fresh_id(self._taken, name, self._told, call.name)
            self._taken.add(known)
            self._told += 1
            written = call.written.strip()
            arguments = "{}" if written in ("", "null", '""') else written
            yield ToolCall(mended(known), mended(call.name) or NAMELESS, mended(arguments))

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            self._calls = []
            raise answer_too_long(self._limit)

    def _of(self, known: str, index: int | None, named: str, position: int) -> _Call:
        """The call that a piece belongs to; a new one where it begins one."""
        place = position if index is None else index
        here = [call for call in self._calls if call.index == place]
        same = [call for call in here if known and call.id == known]
        if not same and known and index is None:
            same = [call for call in self._calls if call.id == known]
        if same:
            return same[-1]
        if here and not _begins(here[-1], known, named):
            return here[-1]
        if not here and not named and not known and self._calls and index is None:
            return self._calls[-1]
        self._calls.append(_Call(place))
        return self._calls[-1]


def fresh_id(taken: Collection[str], form: str, number: int, name: str = "") -> str:
    """An id for a call whose server gives none: by `form`, from `number` on, and none that is `taken`."""
    return next(made for at in count(number) if (made := form.format(number=at, name=name)) not in taken)


def _begins(before: _Call, known: str, named: str) -> bool:
    """Whether a piece at the place of `before` begins another call."""
    if not named or not before.name:
        return False
    if known and before.id:
        return True
    return before.whole or named != before.name


def _index(value: JsonValue) -> int | None:
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(piece: Mapping[str, JsonValue], names: tuple[str, ...]) -> str:
    return next((text for name in names if isinstance(text := piece.get(name), str) and text), "")
