"""Tool calls that a model writes as text: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.

The form is that of the Hermes models, https://github.com/NousResearch/Hermes-Function-Calling, which many others know.
What models make of it is read tolerantly: without the closing tag, in a code fence, as a bare object at the start,
with Python's quotes, a comma too many or a brace too few.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from llamafarm.providers.wire.tags import overlap

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_FENCE = re.compile(r"```\w*")
_SPACE = re.compile(r"\s+")
_COMMA = re.compile(r",\s*(?=[}\]])")
_FENCES = ("", "```", "```json", "```tool_call")
_NAMES = ("name", "tool", "function", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
LONGEST_START = 2_000  # characters within which a bare call has said which tool it calls
LONGEST_MENDED = 100_000  # characters of a call that is mended where it is no JSON
_MISSING = ("", "}", "}}", "]}", "]}}")


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as it could be read: the tool's name, and its arguments as the text of a JSON object."""

    name: str
    arguments: str


class ToolText:
    """Tells calls from visible text in a stream, however it is split. `names` are the tools that there are.

    No piece of a call is ever given out as text; what looked like a call but can't be read is, whole.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._bare = [f'{fence}{{"{key}":"{name}"' for fence in _FENCES for key in _NAMES for name in names]
        self._state: Literal["start", "text", "call", "bare", "gap"] = "start"
        self._held = ""
        self._inside: list[str] = []
        self._seam = ""

    @property
    def held(self) -> str:
        """The beginning of what is not decided yet."""
        return f"{OPEN if self._state == 'call' else ''}{self._held}"

    def feed(self, text: str) -> Iterator[str | WrittenCall]:
        """The texts and calls that are decided once `text` has come."""
        if self._state in ("call", "bare") and not self._closes(text):
            return
        self._held = "".join([self._held, *self._inside, text])
        self._inside = []
        if self._state == "start":
            self._start()
        while self._state in ("text", "call", "gap"):
            before = self._state, self._held
            yield from self._step()
            if (self._state, self._held) == before:
                return

    def end(self) -> Iterator[str | WrittenCall]:
        """What was held back at the end of the stream."""
        held, self._held, self._inside = "".join([self._held, *self._inside]), "", []
        match self._state:
            case "call":
                yield from _read(held, f"{OPEN}{held}")
            case "bare":
                yield from _read(held, held)
            case "gap":
                return
            case _:
                if held:
                    yield held

    def _closes(self, text: str) -> bool:
        """Whether the call that is being held may end in `text`; if not, that is only put aside."""
        seam = (self._seam if self._inside else self._held)[1 - len(CLOSE) :] + text
        self._seam = seam[1 - len(CLOSE) :]
        if self._state == "call" and CLOSE in seam:
            return True
        self._inside.append(text)
        return False

    def _start(self) -> None:
        """At the very start, a bare object that begins like a call is held to the end."""
        if len(self._held) > LONGEST_START:
            self._state = "text"
            return
        compact = _SPACE.sub("", self._held)
        if any(compact.startswith(call) for call in self._bare):
            self._state = "bare"
        elif compact and not OPEN.startswith(compact) and not any(call.startswith(compact) for call in self._bare):
            self._state = "text"
            if self._held.lstrip().startswith(OPEN):
                self._held = self._held.lstrip()

    def _step(self) -> Iterator[str | WrittenCall]:
        if self._state == "gap":
            self._held = self._held.lstrip()
            if self._held:
                self._state = "text"
        elif self._state == "text":
            before, opened, rest = self._held.partition(OPEN)
            if opened:
                self._state, self._held = "call", rest
            else:
                keep = overlap(before, OPEN)
                before, self._held = before[: len(before) - keep], before[len(before) - keep :]
            if before:
                yield before
        else:
            inside, closed, rest = self._held.partition(CLOSE)
            if closed:
                found = list(_read(inside, f"{OPEN}{inside}{CLOSE}"))
                self._state = "text" if isinstance(found[0], str) else "gap"
                self._held = rest
                yield from found


def _read(inside: str, raw: str) -> Iterator[str | WrittenCall]:
    """The calls in `inside`; `raw` as text where there are none."""
    calls = [call for value in _values(_unfenced(inside)) if (call := _call(value))]
    if not calls:
        yield raw
    yield from calls


def _unfenced(text: str) -> str:
    """`text` without the code fence around it."""
    text = text.strip()
    if opening := _FENCE.match(text):
        text = text[opening.end() :]
    return text.removesuffix("```").strip()


def _values(text: str) -> list[Any]:
    """The JSON in `text`, mended where it is nearly JSON; a list gives its members."""
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return []
    body = text[start:]
    endings = _MISSING if len(body) <= LONGEST_MENDED else _MISSING[:1]
    for ending in endings:
        for attempt in (body + ending, _COMMA.sub("", body + ending)):
            try:
                value = json.JSONDecoder(strict=False).raw_decode(attempt)[0]
            except (ValueError, RecursionError):
                continue
            return value if isinstance(value, list) else [value]
    if len(body) > LONGEST_MENDED:
        return []
    try:
        value = ast.literal_eval(body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    return value if isinstance(value, list) else [value]


def _call(value: Any) -> WrittenCall | None:
    """The call that `value` is, in the forms that models use; None where it is none."""
    if not isinstance(value, dict):
        return None
    if isinstance(inner := value.get("function"), dict):
        return _call(inner)
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    arguments: Any = next((value[key] for key in _ARGUMENTS if value.get(key) is not None), {})
    if isinstance(arguments, str):
        arguments = next(iter(_values(arguments)), None)
    if not name or not isinstance(arguments, dict):
        return None
    try:
        return WrittenCall(name.strip(), json.dumps(arguments, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return None
