"""Records of OpenAI's chat completions to events: pure, one instance an answer.

The form is that of https://platform.openai.com/docs/api-reference/chat-streaming, with what compatible
servers add: reasoning in `reasoning_content` (DeepSeek, vLLM, llama.cpp) or `reasoning` (OpenRouter), LlamaFarm's
own word in `llamafarm` (see `relay`). What they count is for `usage` to understand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamafarm.config.model import MAX_ANSWER_MIB
from llamafarm.errors import answer_too_long
from llamafarm.events import ToolCalled
from llamafarm.providers.deltas import Arrived
from llamafarm.providers.relay import queued, relayed
from llamafarm.providers.told import tells
from llamafarm.providers.usage import Counting
from llamafarm.types import JsonValue, ToolCall
from llamafarm.wire.thinking import Thinking

DEFAULT_LIMIT = int(MAX_ANSWER_MIB * 1024 * 1024)
LONGEST_NAME = 1000  # characters of an id, a name or a reason
LEAST_CALL = 1024  # what a call counts that has no arguments yet
REASONING = ("reasoning_content", "reasoning")


@dataclass(slots=True)
class _PartialCall:
    """A tool call whose pieces are still coming."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class ChatChunks:
    """Reads events out of chunks (or one whole completion); `finish_reason` is known once it has come.

    `seen`: something came that has the form of a completion. `counting` understands what the server counts. A call is
    told when it is whole; what is held until then is at most `limit` bytes (else AnswerTooLong).
    """

    def __init__(self, counting: Counting, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._held = 0
        self.finish_reason: str | None = None
        self.seen = False
        self._counting = counting
        self._thinking = Thinking()
        self._calls: dict[int, _PartialCall] = {}

    def feed(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Collect the events of one chunk."""
        if "llamafarm" in record:
            self.told(record, came)
        choices = record.get("choices")
        if isinstance(choices, list):
            self.seen = True
            if choices and isinstance(choice := choices[0], dict):
                self._choice(choice, came)
        if tells(record):
            self._counting.take(record, came)

    def told(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Collect what a LlamaFarm server tells beside its answer, or beside its error."""
        event = relayed(record.get("llamafarm"), came.at)
        if event is not None:
            self._counting.source = "estimated" if event.estimated else "reported"
            came.add(event)
            if event.cost is not None and (wait := queued(record.get("llamafarm"), came.at)) is not None:  # at its end
                came.add(wait)

    def end(self, came: Arrived) -> None:
        """Collect what was held back until the end: the rest of the text, and the tool calls."""
        self.held(came)
        for index in sorted(self._calls):
            call = self._calls[index]
            if call.name:
                arguments = "".join(call.arguments) or "{}"
                came.add(ToolCalled(at=came.at, call=ToolCall(call.id or f"call_{index}", call.name, arguments)))
        self._calls = {}
        self._counting.end(came)

    def held(self, came: Arrived) -> None:
        """Collect text that was held back, because it may have been the start of a tag."""
        came.pieces(self._thinking.end())

    def _choice(self, choice: Mapping[str, JsonValue], came: Arrived) -> None:
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            if len(delta) > 1 or "content" not in delta:  # most chunks have a piece of text alone
                self._beside(delta, came)
            if (content := delta.get("content")) and isinstance(content, str):
                self._counting.letters += len(content)
                if self._thinking.over:
                    came.text(content)
                else:
                    came.read(self._thinking.feed(content))
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            self.finish_reason = reason[:LONGEST_NAME]
            self._counting.ended = True

    def _beside(self, delta: Mapping[str, JsonValue], came: Arrived) -> None:
        """What a chunk has beside text: reasoning and pieces of tool calls."""
        for key in REASONING:
            if (reasoning := delta.get(key)) and isinstance(reasoning, str):
                self._counting.letters += len(reasoning)
                self._counting.thought = True
                came.reasoning(reasoning)
                break
        if calls := delta.get("tool_calls"):
            came.held()
            for position, call in enumerate(calls if isinstance(calls, list) else []):
                if isinstance(call, dict):
                    self._call(position, call)

    def _call(self, position: int, piece: Mapping[str, JsonValue]) -> None:
        index = piece.get("index")
        place = index if isinstance(index, int) else position
        if place not in self._calls:
            self._hold(LEAST_CALL)
        call = self._calls.setdefault(place, _PartialCall())
        if isinstance(known := piece.get("id"), str):
            call.id = call.id or known[:LONGEST_NAME]
        function = piece.get("function")
        if isinstance(function, dict):
            if isinstance(name := function.get("name"), str):
                call.name = call.name or name[:LONGEST_NAME]
                self._counting.letters += len(name)
            if (arguments := function.get("arguments")) and isinstance(arguments, str):
                self._hold(len(arguments))
                call.arguments.append(arguments)
                self._counting.letters += len(arguments)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            self._calls = {}
            raise answer_too_long(self._limit)
