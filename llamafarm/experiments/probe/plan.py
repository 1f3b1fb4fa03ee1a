"""What a probe asks, and what it may take. Pure.

Few tokens are asked for, so that one answer serves several checks; the texts are plain words, about a token each in
every tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from llamafarm.config.model import NamedModel
from llamafarm.core import tokens
from llamafarm.core.parameters import LENGTH_BOUNDS
from llamafarm.core.types import ChatRequest, JsonValue, Message

MOST_TOKENS = 600  # of a model, input and output, beside the prompt that is made too long for its context
MOST_S = 60.0  # for a model
LARGEST_CONTEXT = 8_192  # tokens; a longer one is not tried
OURS = (
    "temperature",
    "seed",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "format",
    "n",
    *LENGTH_BOUNDS,
)  # fmt: skip - parameters of the project that a probe's own questions replace

COUNT = "Count from one to fifty in English words, separated by commas."
COUNT_ON = "Count from one to one hundred in English words, separated by commas."
COLOUR = "Name a colour."
FILLER = " ".join(["stone", "river", "tree", "cloud", "field", "road", "house", "light"] * 5)
LEGS = "How many legs has a spider?"
WEATHER = "What is the weather in Paris now? Use the tool."
LONG = ("one two three four five six seven eight nine ten ", 10)  # a text and how many words it has
COUNTED, CANCELLED, SHORT, FORMED, CALLED = 20, 48, 12, 24, 48  # output tokens; a small model writes a call in some 35
OUTPUT = 2 * COUNTED + CANCELLED + FORMED + CALLED + 2 * SHORT  # of a whole probe at most
FIXED: Mapping[str, JsonValue] = {"temperature": 0, "seed": 7}
FORM: JsonValue = {
    "type": "json_schema",
    "json_schema": {
        "name": "legs",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"legs": {"type": "integer"}},
            "required": ["legs"],
            "additionalProperties": False,
        },
    },
}
TOOL: Mapping[str, JsonValue] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TOOL_TOKENS = tokens.estimate(json.dumps(dict(TOOL)))


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions for one model, with its own parameters but for those that the questions set."""

    parameters: Mapping[str, JsonValue]

    @classmethod
    def to(cls, model: NamedModel) -> Questions:
        """For `model`: a server loads a model anew for another context size, so what sets that stays as it is."""
        return cls(dict(model.parameters))

    def count(self, *, fixed: bool = True, stop: str | None = None) -> ChatRequest:
        """Counting, cut by its bound; `fixed`: at temperature 0 and with a seed; it may end before a word."""
        more = dict(FIXED) if fixed else {}
        if stop is not None:
            more["stop"] = [stop]
        return self._ask(COUNT, COUNTED, **more)

    def count_on(self) -> ChatRequest:
        """A longer answer, to be left at its first piece."""
        return self._ask(COUNT_ON, CANCELLED)

    def legs(self) -> ChatRequest:
        """A question that does not speak of JSON, to be answered in a form of JSON."""
        return self._ask(LEGS, FORMED, response_format=FORM)

    def weather(self) -> ChatRequest:
        """A question for a tool."""
        request = self._ask(WEATHER, CALLED)
        return ChatRequest(request.messages, request.parameters, (TOOL,))

    def colour(self, *, long: bool = False) -> ChatRequest:
        """A short question, or one with more words before it."""
        return self._ask(f"{FILLER}. {COLOUR}" if long else COLOUR, SHORT)

    def too_long(self, context: int) -> ChatRequest:
        """A prompt that `context` tokens don't hold."""
        return self._ask(too_long(context), 1)

    def _ask(self, text: str, bound: int, **more: JsonValue) -> ChatRequest:
        kept = {name: value for name, value in self.parameters.items() if name not in OURS and value is not None}
        named = next((name for name in LENGTH_BOUNDS if name in self.parameters), LENGTH_BOUNDS[0])
        return ChatRequest((Message("user", text),), {**kept, **more, named: bound})


def too_long(context: int) -> str:
    """A text of plain words, a quarter more of them than `context` has tokens."""
    text, words = LONG
    return text * (context * 5 // 4 // words + 1)


def words_of(text: str) -> int:
    """How many words a text has: at least so many tokens."""
    return len(text.split())
