"""A model server that can count, call a tool and keep a form, in both protocols; and one with any one flaw."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.faultserver.server import Exchange
from tests.faultserver.speech import TYPES, Protocol, chunk, ending, record, said, thought

NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "twenty-one",
]
CONTEXT = 100  # words that it takes


@dataclass(slots=True)
class Asked:
    """What a request asks for, whichever the protocol."""

    prompt: str
    bound: int
    stop: str | None
    tools: bool
    form: bool

    @classmethod
    def of(cls, protocol: Protocol, body: dict[str, Any]) -> Asked:
        prompt, options = body["messages"][-1]["content"], body.get("options", {})
        stops = options.get("stop") if protocol == "ollama" else body.get("stop")
        bound = options.get("num_predict") if protocol == "ollama" else body.get("max_tokens")
        form = body.get("format") or body.get("response_format")
        return cls(prompt, bound or 1000, (stops or [None])[0], bool(body.get("tools")), bool(form))


@dataclass(slots=True)
class Counting:
    """The script of a server that has `flaws`; a token takes `pace_s` seconds."""

    protocol: Protocol
    flaws: frozenset[str] = frozenset()
    pace_s: float = 0.002
    answers: int = 0
    line: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        asked = Asked.of(self.protocol, exchange.seen.json())
        self.answers += 1
        if (refusal := self._refusal(asked)) is not None:
            await exchange.head(400, "application/json")
            told = refusal if self.protocol == "ollama" else {"message": refusal}
            await exchange.send(json.dumps({"error": told}).encode())
            await exchange.end()
        elif self.flaws & {"one at a time", "goes on"}:
            async with self.line:
                await self._answer(exchange, asked)
        else:
            await self._answer(exchange, asked)

    def _refusal(self, asked: Asked) -> str | None:
        if len(asked.prompt.split()) > CONTEXT and "cuts prompts" not in self.flaws:
            return "the prompt is longer than the context length of 100 tokens"
        for flaw, wanted in (("no tools", asked.tools), ("no form", asked.form), ("no stop", bool(asked.stop))):
            if wanted and flaw in self.flaws:
                return f"{flaw.removeprefix('no ')} is not supported"
        return None

    async def _answer(self, exchange: Exchange, asked: Asked) -> None:
        if "loads" in self.flaws and self.answers == 1:
            await asyncio.sleep(1.3)
        await exchange.head(content_type=TYPES[self.protocol])
        if asked.tools and "ignores tools" not in self.flaws:
            await self._call(exchange, asked)
            return
        pieces, reason = self._pieces(asked)
        if "reasons" in self.flaws:
            await exchange.send(thought(self.protocol, "Let me count."))
        if "lumps" in self.flaws:
            await asyncio.sleep(self.pace_s * len(pieces))
        for piece in ["".join(pieces)] if "lumps" in self.flaws else pieces:
            if exchange.seen.gone.is_set() and "goes on" not in self.flaws:
                return
            await asyncio.sleep(self.pace_s)
            await self._say(exchange, said(self.protocol, piece))
        await self._say(exchange, ending(self.protocol, reason, self._usage(asked, len(pieces))))
        await exchange.end()

    def _pieces(self, asked: Asked) -> tuple[list[str], str]:
        """The tokens of the answer, and why it ends."""
        if asked.form and "ignores form" not in self.flaws:
            return ['{"legs":', " 8}"], "stop"
        words = NUMBERS[self.answers :] + NUMBERS * 5 if "varies" in self.flaws else NUMBERS * 5
        if "colour" in asked.prompt or asked.form or asked.tools:
            words = ["red"] * 6
        if "tags" in self.flaws:
            words = ["Let", "me", "think.</think>", *words]
        if asked.stop in words and "ignores stop" not in self.flaws:
            return [f"{word}, " for word in words[: words.index(asked.stop)]], "stop"
        most = asked.bound + (9 if "ignores bound" in self.flaws else 0)
        told = "ignores bound" in self.flaws or "cuts untold" in self.flaws or len(words) <= most
        return [f"{word}, " for word in words[:most]], "stop" if told else "length"

    async def _call(self, exchange: Exchange, asked: Asked) -> None:
        function: dict[str, Any] = {"name": "get_weather", "arguments": {"city": "Paris"}}
        if self.protocol == "ollama":
            await exchange.send(record({"content": "", "tool_calls": [{"function": function}]}))
            await exchange.send(ending("ollama", "stop", self._usage(asked, 9)))
        else:
            call = {"index": 0, "id": "c", "function": function | {"arguments": '{"city": "Paris"}'}}
            await exchange.send(chunk({"tool_calls": [call]}))
            await exchange.send(ending("openai", "tool_calls", self._usage(asked, 9)))
        await exchange.end()

    async def _say(self, exchange: Exchange, data: bytes) -> None:
        if "another model" in self.flaws:
            data = data.replace(b'"model": "m"', b'"model": "another"')
        try:
            await exchange.send(data)
        except ConnectionError:
            if "goes on" not in self.flaws:
                raise

    def _usage(self, asked: Asked, made: int) -> dict[str, Any] | None:
        if "no counts" in self.flaws:
            return None
        words = min(len(asked.prompt.split()), CONTEXT) + 8
        read = asked.tools and ("ignores tools" not in self.flaws or "reads tools" in self.flaws)
        given = 11 if "counts don't grow" in self.flaws else words + (60 if read else 0)
        details = {} if "cache untold" in self.flaws else {"prompt_tokens_details": {"cached_tokens": 4}}
        return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made, **details}
