"""Records of chat completions to events: pure, one instance an answer.

The form is that of https://platform.openai.com/docs/api-reference/chat-streaming, with what compatible servers add:
reasoning in `reasoning_content` (DeepSeek, vLLM, llama.cpp) or `reasoning` (OpenRouter), content as parts, calls in
other forms, LlamaFarm's own word in `llamafarm` (see `relay`). Ollama's records are read here too
(https://github.com/ollama/ollama/blob/main/docs/api.md): what a server sends decides, not what it was taken for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from llamafarm.config.model import MAX_ANSWER_MIB
from llamafarm.core.conditions import Caution, Cautioned, ModelNamed
from llamafarm.core.events import ToolCalled
from llamafarm.core.types import JsonValue
from llamafarm.providers.answers.calls import LONGEST_NAME, Calls
from llamafarm.providers.answers.circles import Circles
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.answers.finish import meant
from llamafarm.providers.answers.parts import parts, reasoning_of
from llamafarm.providers.answers.pieces import Frame, piece_of, quick
from llamafarm.providers.answers.relay import cautions, relayed, spent
from llamafarm.providers.answers.shortened import shortened
from llamafarm.providers.counts.told import tells
from llamafarm.providers.counts.usage import Counting
from llamafarm.providers.wire.held import Held
from llamafarm.providers.wire.surrogates import Halves, mended
from llamafarm.providers.wire.thinking import Piece, Thinking

DEFAULT_LIMIT = int(MAX_ANSWER_MIB * 1024 * 1024)
REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "thinking_content", "reasoning_details")
OTHER_TEXTS = ("content", "response", "text", "output_text", "delta", "token", "completion", "answer", "output")
NO_TEXT = ("role", "name", "type", "object", "model", "status", "phase", "channel", "refusal", "content")
NO_REASON = ("null", "none")
LONGEST_UNKNOWN = 500
_OPAQUE = re.compile(r"(^|_)(id|ids|signature|fingerprint|tier|token|hash|encrypted|at|provider|reason)(_|$)")

Ended = Callable[[Mapping[str, JsonValue], Arrived], None]


class ChatChunks:
    """Reads events out of chunks (or one whole completion); `finish_reason` is known once it has come.

    `seen`: something came that has the form of an answer. `over`: nothing more can come, not even counts. `unknown`:
    the beginning of text in places that nobody knows, where nothing else came. `counting` understands what the server
    counts, `circles` how an answer repeats itself, `ended` takes Ollama's last record. A call is told when it is whole;
    what is held until then is at most `limit` bytes (else AnswerTooLong).
    """

    def __init__(
        self,
        counting: Counting,
        limit: int = DEFAULT_LIMIT,
        ended: Ended | None = None,
        call_name: str = "call_{number}",
        circles: Circles | None = None,
    ) -> None:
        self.finish_reason: str | None = None
        self.server = ""  # as its headers name it
        self.seen = self.over = False
        self._unknown = ""
        self._counting = counting
        self._ended = ended
        self._call_name = call_name
        self._circles = circles
        self._frame = Frame()
        self._thinking, self._held = Thinking(), Held()
        self._said, self._thought = Halves(), Halves()
        self._letters = 0  # of content
        self._by_deltas = False
        self._calls = Calls(limit, counting.called)
        self._came = False
        self._index: JsonValue = None
        self._named = False

    def framed(self, data: str) -> str | None:
        """The text of a record in which nothing else is new, as it is for most; None where it takes a closer look."""
        return None if self.finish_reason is not None else self._frame.text(data)

    def said(self, texts: list[str], came: Arrived) -> None:
        """Collect the texts of records that came together, and empty the list."""
        if not texts:
            return
        if self._circles is None:
            self._text("".join(texts), came)
        else:
            for text in texts:
                self._text(text, came)
        texts.clear()

    def quick(self, data: str, came: Arrived) -> bool:
        """Collect a record that is one piece of text in the midst of an answer, as most are; False where it is more."""
        if not self.seen or self.finish_reason is not None:
            return False
        record = quick(data)
        if record is None or not (self._named or not record.get("model")):
            return False
        text = piece_of(record, self._index)
        if not text:
            return False
        self._frame.learn(data, text, self._index)
        self._by_deltas = True
        self._text(text, came)
        return True

    def feed(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Collect the events of one record."""
        if "llamafarm" in record:
            self.told(record, came)
        if not self._named and (model := record.get("model")) and isinstance(model, str):
            self._named = True
            came.add(ModelNamed(at=came.at, model=mended(model[:LONGEST_NAME])))
        choices = record.get("choices")
        if choices and isinstance(choices, list):
            self.seen = True
            for choice in choices:
                if isinstance(choice, dict) and (choice.get("index") == self._index or self._is_ours(choice)):
                    self._choice(choice, came)
                    break
        else:
            self._bare(record, came)
        if "x_context_usage" in record and (caution := shortened(record["x_context_usage"])) is not None:
            came.add(Cautioned(at=came.at, caution=caution))
        if record.get("done") is not False and tells(record):
            self._counting.take(record, came)
        if self.over and self._ended is not None:
            self._ended(record, came)

    def told(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Collect what a LlamaFarm server tells beside its answer, or beside its error."""
        event = relayed(record.get("llamafarm"), came.at)
        if event is not None:
            self._counting.source = "estimated" if event.estimated else "reported"
            came.add(event)
            for caution in cautions(record.get("llamafarm")):
                came.add(Cautioned(at=came.at, caution=caution))
            if event.cost is not None:  # at its end
                for told in spent(record.get("llamafarm"), came.at):
                    came.add(told)

    def end(self, came: Arrived) -> None:
        """Collect what was held back until the end: the rest of the text, and the tool calls."""
        self.held(came)
        self._tell_calls(came)
        self._counting.end(came)

    def held(self, came: Arrived) -> None:
        """Collect text that was held back, because it may have been the start of a tag, or half a character."""
        if rest := self._thought.end():
            came.reasoning(rest)
        if rest := self._said.end():
            self._read(rest, came)
        came.pieces(self._without_calls(self._thinking.end()), self._held)

    @property
    def circles(self) -> Caution | None:
        """Says so of an answer that went round in circles, where its server ends such ones without a word."""
        return None if self._circles is None else self._circles.caution

    @property
    def letters(self) -> int:
        """How many letters of the answer have come, reasoning and tool calls included."""
        return self._counting.letters

    @property
    def unknown(self) -> str:
        """The beginning of text in places that nobody knows; empty where anything else came."""
        return "" if self._came or self._calls else self._unknown

    @property
    def reason(self) -> str:
        """Why the answer ended; a call asks for something, whatever else the server says."""
        reason = self.finish_reason or "unknown"
        return "tool_calls" if self._calls and reason in ("stop", "unknown") else reason

    def _is_ours(self, choice: Mapping[str, JsonValue]) -> bool:
        """Whether a choice is the one that is told: the first of several answers."""
        index = choice.get("index") or 0
        self._index = index if self._index is None else self._index
        return index == self._index

    # --- forms of records ----------------------------------------------------------------------------

    def _choice(self, choice: Mapping[str, JsonValue], came: Arrived) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            if not self._by_deltas and delta.get("content"):
                self._by_deltas = True
            self._delta(delta, came)
        elif delta:
            self._content(delta, came)
        if "message" in choice and isinstance(message := choice["message"], dict):
            self._message(message, came)
        if not delta and (text := choice.get("text")):
            self._content(text, came)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and reason.lower() not in NO_REASON:
            self._finish(reason)

    def _bare(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """A record without choices: Ollama's, or of an API of another kind."""
        if isinstance(record.get("choices"), list):
            self.seen = True
        if isinstance(message := record.get("message"), dict):
            self.seen = True
            self._delta(message, came)
            if not self._thinking.calling:
                self._tell_calls(came)
        elif "choices" not in record:
            self._other(record, came)
        if record.get("done") is True or (record.get("stop") is True and "content" in record):
            self.seen = self.over = True
            reason = record.get("done_reason")
            self._finish(reason if isinstance(reason, str) and reason else "stop")

    def _other(self, record: Mapping[str, JsonValue], came: Arrived) -> None:
        """Text where another API has it; what is not known there is kept, in case that nothing else comes."""
        kind = record.get("type")
        if isinstance(kind, str) and not kind.endswith("delta"):
            return
        for name in OTHER_TEXTS:
            if (value := record.get(name)) and not isinstance(value, bool | int | float):
                self.seen = True
                self._content(value, came)
                return
        self._strange(record)

    def _message(self, message: Mapping[str, JsonValue], came: Arrived) -> None:
        """A message beside deltas is the whole answer so far: only what the deltas left out is told."""
        if not self._by_deltas:
            self._delta(message, came)
            return
        text = "".join(part.text for part in parts(message.get("content")) if part.kind == "text")
        if len(text) > self._letters:
            self._content(text[self._letters :], came)
        if not self._calls:
            self._take_calls(message, came)

    # --- pieces --------------------------------------------------------------------------------------

    def _delta(self, delta: Mapping[str, JsonValue], came: Arrived) -> None:
        content = delta.get("content")
        if len(delta) > 1 or "content" not in delta:  # most chunks have a piece of text alone
            self._beside(delta, came)
        if content:
            self._content(content, came)

    def _content(self, content: JsonValue, came: Arrived) -> None:
        if isinstance(content, str):
            self._text(content, came)
            return
        for position, part in enumerate(parts(content)):
            if part.kind == "call" and part.call is not None:
                self._calls.take(part.call, position)
                came.held()
            elif part.kind == "reasoning":
                self._reasoning(part.text, came)
            else:
                self._text(part.text, came)

    def _text(self, text: str, came: Arrived) -> None:
        self._came = True
        size = len(text)
        self._letters += size
        self._counting.letters += size
        if self._circles is not None:
            self._circles.feed(text)
        if self._said.held or not text.isascii():
            text = self._said.feed(text)
        if text and self._thinking.plain(text):
            came.text(text)
        elif not self._read(text, came):
            came.held()

    def _read(self, text: str, came: Arrived) -> bool:
        """Tell what `text` decides; whether it decides anything."""
        told = came.pieces(self._without_calls(self._thinking.feed(text)), self._held)
        self._held.keep(self._thinking.held, came.at, more=not told)
        return told

    def _without_calls(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Pieces of text; those of calls that are written in it are kept. No server counts a call below zero."""
        for piece in pieces:
            if piece.call:
                named: dict[str, JsonValue] = {"arguments": piece.text} if piece.text else {"name": piece.call}
                self._calls.take({"index": -piece.number, **named})
            else:
                yield piece

    def _reasoning(self, text: str, came: Arrived) -> None:
        self._came = True
        self._counting.letters += len(text)
        if not self._counting.thought:
            self._counting.thought = True
            self._thinking.apart()
        if whole := self._thought.feed(text):
            came.reasoning(whole)
        else:
            came.held()

    def _beside(self, delta: Mapping[str, JsonValue], came: Arrived) -> None:
        """What a piece has beside text: reasoning, a refusal, pieces of tool calls."""
        for name in REASONING:
            if (value := delta.get(name)) and (text := reasoning_of(value)):
                self._reasoning(text, came)
                break
        if refusal := delta.get("refusal"):
            self._content(refusal, came)
        if isinstance(audio := delta.get("audio"), dict) and (words := audio.get("transcript")):
            self._content(words, came)
        self._take_calls(delta, came)
        if not self._came:
            self._strange(delta)

    def _take_calls(self, delta: Mapping[str, JsonValue], came: Arrived) -> None:
        calls, legacy = delta.get("tool_calls"), delta.get("function_call")
        pieces = [*(calls if isinstance(calls, list) else [calls]), legacy]
        before = self._calls.letters
        for position, call in enumerate(pieces):
            if isinstance(call, dict):
                self._calls.take(call, position if call is not legacy else 0)
        if calls or legacy:
            came.held()
        self._counting.letters += self._calls.letters - before

    def _tell_calls(self, came: Arrived) -> None:
        for call in self._calls.told(self._call_name):
            came.add(ToolCalled(at=came.at, call=call))

    def _finish(self, reason: str) -> None:
        self.finish_reason = meant(mended(reason[:LONGEST_NAME]))
        self._counting.ended = True

    def _strange(self, piece: Mapping[str, JsonValue]) -> None:
        """Keep what may be text under a name that nobody knows."""
        known = (*NO_TEXT, *REASONING)
        words = [
            value
            for name, value in piece.items()
            if name not in known and isinstance(value, str) and value and not _OPAQUE.search(name)
        ]
        if words and not self._unknown:
            self._unknown = mended(" ".join(words))[:LONGEST_UNKNOWN]
