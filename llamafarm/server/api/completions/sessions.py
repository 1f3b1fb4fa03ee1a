"""Conversations that `X-Session-ID` continues: kept in memory, bounded, and forgotten after a while."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from llamafarm.core.types import Message
from llamafarm.server.api.errors import ApiError
from llamafarm.server.api.meanings import INVALID

IDLE_S = 3600.0
SESSIONS = 1000
MESSAGES = 200
CHARACTERS = 4 * 1024 * 1024  # of one conversation
ALL_CHARACTERS = 64 * 1024 * 1024

Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Conversation:
    """One conversation, turn by turn: what was asked in each, and the answer.

    `dropped` counts older messages that are no longer kept; `size` is characters.
    """

    turns: deque[tuple[Message, ...]] = field(default_factory=deque)
    used_at: float = 0.0
    busy: bool = False
    dropped: int = 0
    size: int = 0
    count: int = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, in order."""
        return tuple(message for turn in self.turns for message in turn)

    def add(self, turn: Sequence[Message]) -> None:
        """Take a turn; the oldest go whole where there is too much, so that no answer lacks its question."""
        self.turns.append(tuple(turn))
        self._count(turn, 1)
        while (self.count > MESSAGES or self.size > CHARACTERS) and len(self.turns) > 1:
            oldest = self.turns.popleft()
            self._count(oldest, -1)
            self.dropped += len(oldest)

    def _count(self, turn: Sequence[Message], sign: int) -> None:
        self.count += sign * len(turn)
        self.size += sign * sum(_size(message) for message in turn)


@dataclass(slots=True)
class Conversations:
    """The conversations of all callers. A key holds the caller and the project, so that none reads another's.

    Each is forgotten after an hour of silence, and the one that was silent longest where there are too many, or
    too much text in all. `clock` gives seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _kept: OrderedDict[Key, Conversation] = field(default_factory=OrderedDict)
    _size: int = 0

    @contextmanager
    def turn(self, key: Key) -> Iterator[Conversation]:
        """The conversation `key`, for one turn. It changes by `add` alone, so a turn that fails leaves it as it was.

        Raises ApiError (409) while another turn of it is being answered.
        """
        self._forget()
        conversation = self._kept.setdefault(key, Conversation())
        if conversation.busy:
            message = "This session is still answering: send its messages one after the other."
            raise ApiError(409, message, "session_busy", INVALID, "X-Session-ID", {"retry-after": "1"})
        before = conversation.size
        conversation.busy = True
        try:
            yield conversation
        finally:
            conversation.busy, conversation.used_at = False, self.clock()
            self._kept.move_to_end(key)
            self._size += conversation.size - before
            if not conversation.turns:
                del self._kept[key]
            self._shrink()

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self) -> None:
        now = self.clock()
        for key, kept in list(self._kept.items()):
            if kept.busy:
                continue
            if now - kept.used_at < IDLE_S:
                return
            self._drop(key)

    def _shrink(self) -> None:
        idle = [key for key, kept in self._kept.items() if not kept.busy]
        for key in idle[:-1]:
            if self._size <= ALL_CHARACTERS and len(self._kept) <= SESSIONS:
                return
            self._drop(key)

    def _drop(self, key: Key) -> None:
        self._size -= self._kept.pop(key).size


def _size(message: Message) -> int:
    calls = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    return len(message.content) + calls + sum(len(image.data) for image in message.images)
