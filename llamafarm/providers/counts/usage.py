"""What a server's counts mean: one place for all protocols, by the evidence that they and the answer give. Pure.

What can't be is told and not used, so that an estimate stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import orjson

from llamafarm.core import tokens
from llamafarm.core.conditions import Caution, Cautioned, ServerQueued
from llamafarm.core.events import CostReported, UsageReported
from llamafarm.core.types import ChatRequest, Count, CountSource, JsonValue, Usage
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.counts.billed import billed
from llamafarm.providers.counts.meaning import KEPT, Meaning
from llamafarm.providers.counts.told import Doubt, Part, Told, told, usages

TOKENS_A_LETTER = 4  # a letter is four bytes at most, and a token one byte at least
LETTERS_A_TOKEN = 128  # the longest tokens of the usual vocabularies are runs of spaces
TEMPLATE = 64  # tokens that are no text: ends of messages, what tool calls are wrapped in
UNSEEN = 2**18  # tokens that a server may not show: prompts of its own, hidden reasoning
A_DAY_S = 86_400.0
CUT_SHARE = 0.75  # of the tokens that a prompt has at least: a count below that is of a part of it
IN_WORDS: Mapping[Part, str] = {
    "total": "tokens in all",
    "written": "tokens written to a cache",
    "written 5m": "tokens written to a cache for five minutes",
    "written 1h": "tokens written to a cache for an hour",
}
CUT_TOKENS = 64  # and at least so many less


class Counting:
    """Takes the records of one answer and tells its usage, cost and wait in the server's queue as events.

    `context` is the model's context in tokens, where it is known. `letters` of the answer have come, reasoning and
    tool calls included; `thought`: some of them were reasoning; `ended`: all of them have come. `source` is that of the
    counts.
    """

    def __init__(self, request: ChatRequest, context: int | None = None) -> None:
        self.letters = 0
        self.thought = False
        self.ended = False
        self.source: CountSource = "reported"
        self._request = request
        self._context = context
        self._room: int | None = None
        self._told: Told | None = None
        self._known: tuple[object, ...] = ()
        self._usage = Usage()
        self._usd: Decimal | None = None
        self._doubt = ""  # of the cost
        self._queue_s: float | None = None

    @property
    def called(self) -> frozenset[str]:
        """The ids of the calls in the request."""
        return frozenset(call.id for message in self._request.messages for call in message.tool_calls)

    def take(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Read one record; what it tells anew is added to `came`."""
        found = told(record)
        if found is not None:
            self._take(found)
        for usage in usages(record):
            self._cost(usage, came)
            self._queue(usage, came)
        self._tell(came)

    def end(self, came: Arrived) -> None:
        """All of the answer has come: what was told before is held against it once more."""
        self.ended = True
        self._tell(came)
        if (caution := self._cut()) is not None:
            came.add(Cautioned(at=came.at, caution=caution))

    def _cut(self) -> Caution | None:
        """Says so where the server counted only a part of the prompt.

        Tokens from a cache belong to the prompt, whichever way they are counted; a server that counts those alone which
        it read anew counts one at least.
        """
        given, parts = self._usage.input, self._told.parts if self._told else {}
        if given is None or self.source != "reported":
            return None
        told = sum(parts.get(part, 0) for part in ("input", "cached", "written"))
        count, messages = max(given.value, told), self._request.messages
        least = sum(tokens.least(message.content) for message in messages)
        if count <= 1 or count >= least * CUT_SHARE or least - count < CUT_TOKENS:
            return None
        about = tokens.estimate_messages(messages)
        return Caution(
            "prompt_cut", f"The server counted {count:,} tokens of a prompt of about {about:,}: it was probably cut."
        )

    def _tell(self, came: Arrived) -> None:
        known = (self._told, self.letters, self.thought, self.ended, self.source, self._doubt)
        if known == self._known:
            return
        self._known = known
        usage = self._meant()
        if usage != self._usage:
            self._usage = usage
            came.add(UsageReported(at=came.at, usage=usage))

    def _take(self, found: Told) -> None:
        """Later counts replace earlier ones, but for those of a surer place."""
        before = self._told
        if before is not None and before.rank < found.rank:
            return
        if before is not None and before.rank == found.rank:
            earlier = dict(before.parts)
            if not found.parts.keys().isdisjoint(("input", "output")):
                earlier.pop("total", None)  # it was that of the earlier ones
            found.parts = earlier | found.parts
            found.doubts = before.doubts | found.doubts
            found.cached_beside |= before.cached_beside
            found.thought_beside |= before.thought_beside
        found.doubts = {part: doubt for part, doubt in found.doubts.items() if part not in found.parts}
        self._told = found

    def _meant(self) -> Usage:
        if self._told is None:
            return Usage(doubts=(self._doubt,) if self._doubt else ())
        meaning = Meaning(self._told, self._prompt_room)
        self._check_input(meaning)
        self._check_output(meaning)
        counts = {part: Count(value, self.source) for part, value in meaning.parts.items()}
        doubts = [_doubtful(part, doubt) for part, doubt in meaning.doubts.items()]
        return Usage(
            input=counts.get("input"),
            output=counts.get("output"),
            reasoning=counts.get("reasoning"),
            cached=counts.get("cached"),
            written=counts.get("written"),
            written_1h=counts.get("written 1h"),
            doubts=tuple(filter(None, [*doubts, self._doubt])),
        )

    def _check_input(self, meaning: Meaning) -> None:
        """Leave out what the prompt and the model's context have no place for."""
        given, parts = meaning.parts.get("input"), meaning.parts
        if given is not None:
            why = self._beyond_context(given)
            if not why and given > self._prompt_room() + UNSEEN:
                why = "the prompt is too short for that"
            if why:
                meaning.doubts["input"] = Doubt(f"{given:,}", why)
            if why or given == 0:
                del parts["input"]
        if "input" not in parts:
            for part in KEPT:
                parts.pop(part, None)

    def _check_output(self, meaning: Meaning) -> None:
        """Leave out what the answer and the model's context have no place for."""
        made, parts = meaning.parts.get("output"), meaning.parts
        if self.thought and parts.get("reasoning") == 0:
            del parts["reasoning"]
        if made is not None:
            why = self._beyond_context(made)
            visible = made - parts.get("reasoning", UNSEEN)
            if not why and (
                visible > self.letters * TOKENS_A_LETTER + TEMPLATE or made * LETTERS_A_TOKEN < self.letters
            ):
                why = f"the answer has {self.letters:,} letters"
            if made == 0 and (self.letters or not self.ended):
                why = ""
                del parts["output"]
            if why:
                meaning.doubts["output"] = Doubt(f"{made:,}", why)
                del parts["output"]
        if "output" not in parts:
            parts.pop("reasoning", None)

    def _beyond_context(self, tokens: int) -> str:
        beyond = self._context is not None and tokens > self._context
        return f"the model has a context of {self._context:,}" if beyond else ""

    def _prompt_room(self) -> int:
        """How many tokens the request could be at most."""
        if self._room is None:
            messages = self._request.messages
            letters = sum(
                len(message.content) + sum(len(call.arguments) for call in message.tool_calls) for message in messages
            )
            letters += sum(len(image.data) for message in messages for image in message.images)
            letters += len(orjson.dumps(list(self._request.tools), default=str, option=orjson.OPT_NON_STR_KEYS))
            self._room = TOKENS_A_LETTER * letters + TEMPLATE * len(messages)
        return self._room

    def _cost(self, usage: Mapping[str, JsonValue], came: Arrived) -> None:
        found = billed(usage)
        if isinstance(found, Doubt):
            self._doubt = f"The server told a cost of {found.value}, not used: {found.why}."
        elif found is not None:
            self._doubt = ""
            if found != self._usd:
                self._usd = found
                came.add(CostReported(at=came.at, usd=found))

    def _queue(self, usage: Mapping[str, JsonValue], came: Arrived) -> None:
        """Groq tells of its queue in `queue_time`, in seconds."""
        told_s = usage.get("queue_time")
        if isinstance(told_s, bool) or not isinstance(told_s, int | float) or not 0 <= told_s <= A_DAY_S:
            return
        if told_s != self._queue_s:
            self._queue_s = float(told_s)
            came.add(ServerQueued(at=came.at, seconds=self._queue_s))


def _doubtful(part: Part, doubt: Doubt) -> str:
    what = IN_WORDS.get(part, f"{part} tokens")
    return f"The server counted {doubt.value} {what}, not used: {doubt.why}."
