"""Reasoning that a server did not tell apart from the answer, by the marks that models write around it.

`<think>…</think>` (DeepSeek, Qwen and most others), `<thinking>`, `<thought>`, `<reasoning>`, `<seed:think>`
(Seed-OSS), `[THINK]` (Magistral), `◁think▷` (Kimi), `<|begin_of_thought|>` (Sky-T1), `<|START_THINKING|>` (Command A),
and the channels of OpenAI's harmony format (https://github.com/openai/harmony): `<|channel|>analysis<|message|>…`. A
message of that format to another than the reader (`to=functions.look`) is a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from llamafarm.providers.wire.code import Code
from llamafarm.providers.wire.tags import overlap

MARKS = {
    "<think>": "</think>", "<thinking>": "</thinking>", "<thought>": "</thought>", "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>", "[think]": "[/think]", "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>", "<|start_thinking|>": "<|end_thinking|>",
}  # fmt: skip
AROUND = {"<|begin_of_solution|>": "<|end_of_solution|>", "<|start_response|>": "<|end_response|>"}  # the answer
HARMONY = ("<|channel|>", "<|start|>")
MESSAGE = "<|message|>"
ENDS = ("<|end|>", "<|return|>", "<|call|>", *HARMONY)
CLOSES = tuple(MARKS.values())
WATCHED = (*MARKS, *CLOSES)
FIRST = (*WATCHED, *HARMONY)
LONGEST = max(map(len, (*FIRST, *AROUND, *AROUND.values())))
LONGEST_HEADER = 400  # characters between a channel's mark and its message
_special = re.compile(r"[<\[◁`~\n]").search
_TOKEN = re.compile(r"\n|`+|~+|[<\[◁]|[^\n`~<\[◁]+")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")
_TO = re.compile(r"(?:^|\s|>)to=([^\s<]+)")
ADDRESS = "to="  # where the model's template wrote what stands before it
PEOPLE = ("user", "assistant", "all", "system", "developer")  # to whom a message is no call
FUNCTIONS = "functions."  # the namespace of a request's own tools


class Piece(NamedTuple):
    """A piece of the answer, and whether it is reasoning; `before`: so was all that was told as answer before.

    `call` names the tool of whose arguments it is a piece, an empty one where the call begins; `number` counts the
    calls of an answer from 1.
    """

    text: str
    reasoning: bool
    before: bool = False
    call: str = ""
    number: int = 0


class Thinking:
    """Tells reasoning from answer in a stream of text, however the marks are split.

    A mark opens at the very start alone (after white space): one in the middle is the answer's own text. A closing mark
    without its opening, which the model's template wrote, makes all that came before it reasoning; not so in code, nor
    behind an opening one. `over` says whether all that comes from now on is answer.
    """

    def __init__(self) -> None:
        self.over = False
        self._state: Literal["start", "reasoning", "gap", "answer", "header", "message", "between"] = "start"
        self._blank: list[str] = []
        self._held = ""
        self._close = ""
        self._around: tuple[str, ...] = ()
        self._watching = True
        self._told = False
        self._opened = 0
        self._code = Code()
        self._final = True
        self._to = ""
        self._calls = 0

    @property
    def calling(self) -> bool:
        """Whether a call is being written."""
        return bool(self._to)

    @property
    def held(self) -> str:
        """What has come and is not decided yet."""
        return "".join([*self._blank, self._held])

    def plain(self, text: str) -> bool:
        """Whether `text` is answer and decides nothing, so that it need not be fed."""
        if self.over:
            return True
        return self._state == "answer" and not self._held and self._code.steady and not _special(text)

    def apart(self) -> None:
        """The server tells reasoning apart: a closing mark is text."""
        self._watching = False
        self._settle()

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that are decided once `text` has come."""
        self._held += text
        state = None
        while self._held and state != (self._state, len(self._held)):
            state = (self._state, len(self._held))
            yield from getattr(self, f"_{self._state}")()

    def end(self) -> Iterator[Piece]:
        """What was held back at the end of the stream."""
        if self._state in ("gap", "between"):
            self._held = ""
        if self._state == "message":
            held, self._held = self._held, ""
            yield from self._of_message(held)
            self._to = ""
        yield from self._release(reasoning=self._state == "reasoning")

    def _settle(self) -> None:
        self.over = self._state == "answer" and not self._watching and not self._around and not self._held

    def _start(self) -> Iterator[Piece]:
        opening = self._held.lstrip()
        self._blank.append(self._held[: len(self._held) - len(opening)])
        self._held = opening
        low = opening[:LONGEST].lower()
        if opened := next((mark for mark in MARKS if low.startswith(mark)), None):
            self._state, self._held, self._close = "reasoning", opening[len(opened) :], MARKS[opened]
            self._blank = []
        elif closed := next((mark for mark in CLOSES if low.startswith(mark)), None):
            self._state, self._held, self._blank = "gap", opening[len(closed) :], []
        elif low.startswith(HARMONY) or (opening.startswith(ADDRESS) and _addressed(opening)):
            self._state, self._blank = "header", []
        elif opening and (ADDRESS.startswith(opening) or _may_address(opening)):
            return iter(())
        elif opening and not any(mark.startswith(low) for mark in FIRST):
            self._state, self._held = "answer", "".join([*self._blank, self._held])
            self._blank = []
        return iter(())

    def _reasoning(self) -> Iterator[Piece]:
        at = self._held.lower().find(self._close) if self._held.isascii() else _find(self._held, self._close)
        if at >= 0:
            reasoning, self._held = self._held[:at], self._held[at + len(self._close) :]
            self._state = "gap"
            if reasoning:
                yield Piece(reasoning, reasoning=True)
            return
        yield from self._ready((self._close,), reasoning=True)

    def _gap(self) -> Iterator[Piece]:
        self._watching = False
        self._held = self._held.lstrip()
        low = self._held[:LONGEST].lower()
        if around := next((mark for mark in AROUND if low.startswith(mark)), None):
            self._held, self._around = self._held[len(around) :].lstrip(), (AROUND[around],)
        elif low and not any(mark.startswith(low) for mark in AROUND):
            self._state = "answer"
        return iter(())

    def _answer(self) -> Iterator[Piece]:
        if self._around:
            at = _find(self._held, self._around[0])
            if at < 0:
                yield from self._ready(self._around, reasoning=False)
                return
            self._held = self._held[:at] + self._held[at + len(self._around[0]) :]
            self._around = ()
        if self._watching:
            yield from self._watch()
        else:
            yield from self._release(reasoning=False)
            self._settle()

    def _watch(self) -> Iterator[Piece]:
        """Look for a closing mark that nothing opened, outside of code."""
        text = self._held
        for token in _TOKEN.finditer(text):
            if token[0] not in "<[◁":
                self._code.take(token[0])
                continue
            start = token.start()
            low = text[start : start + LONGEST].lower()
            mark = next((mark for mark in WATCHED if low.startswith(mark)), "")
            if not mark and any(known.startswith(low) for known in WATCHED):
                self._held = text[start:]
                yield from self._tell(text[:start])
                return
            if mark and not self._code.inside:
                if mark in CLOSES and not self._opened:
                    self._state, self._held = "gap", text[start + len(mark) :]
                    if start:  # of one kind with what was told before, so that nothing is cut in two
                        yield Piece(text[:start], reasoning=not self._told)
                    if self._told:
                        yield Piece("", reasoning=True, before=True)
                    return
                self._opened += 1 if mark in MARKS else -1
            self._code.take(token[0])
        self._held = ""
        yield from self._tell(text)

    def _header(self) -> Iterator[Piece]:
        header, found, rest = self._held.partition(MESSAGE)
        if found:
            channel, to = _CHANNEL.search(header), _TO.search(header)
            self._final = channel is None or channel[1] == "final"
            self._state, self._held = "message", rest
            if to is not None and to[1] not in PEOPLE:
                self._to = to[1].removeprefix(FUNCTIONS) or to[1]
                self._calls += 1
                yield from self._of_message("", begins=True)
        elif len(self._held) > LONGEST_HEADER:
            self._state = "answer"

    def _message(self) -> Iterator[Piece]:
        places = [(at, mark) for mark in ENDS if (at := self._held.find(mark)) >= 0]
        if not places:
            for piece in self._ready(ENDS, reasoning=not self._final):
                yield from self._of_message(piece.text)
            return
        at, mark = min(places)
        text, self._held = self._held[:at], self._held[at + (0 if mark in HARMONY else len(mark)) :]
        self._state = "between"
        yield from self._of_message(text)
        self._to = ""

    def _of_message(self, text: str, *, begins: bool = False) -> Iterator[Piece]:
        if self._to and (text or begins):
            yield Piece(text, reasoning=False, call=self._to, number=self._calls)
        elif text:
            yield Piece(text, reasoning=not self._final)

    def _between(self) -> Iterator[Piece]:
        self._held = self._held.lstrip()
        if self._held.startswith(HARMONY):
            self._state = "header"
        elif self._held and not any(mark.startswith(self._held) for mark in HARMONY):
            self._state, self._final = "message", True
        return iter(())

    def _ready(self, marks: tuple[str, ...], *, reasoning: bool) -> Iterator[Piece]:
        """All but what may be the start of a mark."""
        tail = self._held[-LONGEST:].lower()
        keep = max(overlap(tail, mark) for mark in marks)
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        if ready:
            yield Piece(ready, reasoning=reasoning)

    def _tell(self, text: str) -> Iterator[Piece]:
        if text:
            self._told = True
            yield Piece(text, reasoning=False)

    def _release(self, *, reasoning: bool) -> Iterator[Piece]:
        held = "".join([*self._blank, self._held])
        self._blank, self._held = [], ""
        if held:
            yield Piece(held, reasoning=reasoning)


def _addressed(text: str) -> bool:
    """Whether a text that begins with an address is the header of a message."""
    return re.match(r"to=[\w.\-]+\s*<\|(channel|constrain|message)\|>", text) is not None


def _may_address(text: str) -> bool:
    """Whether a text may yet become such a header."""
    return re.fullmatch(r"to=[\w.\-]{0,200}\s*(<(\|\w{0,10}(\|)?)?)?", text) is not None


def _find(text: str, mark: str) -> int:
    """Where `mark` stands in `text`, in whichever case; -1 where it does not."""
    found = re.search(re.escape(mark), text, re.IGNORECASE)
    return found.start() if found else -1
