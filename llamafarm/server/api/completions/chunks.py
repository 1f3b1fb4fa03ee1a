"""A lane's events as a stream of OpenAI's chunks: pure, one instance an answer.

The form is that of https://platform.openai.com/docs/api-reference/chat-streaming: the first chunk has the role, the
last the finish_reason, then usage where it was asked for, then [DONE]. Reasoning goes in `reasoning_content`, as
DeepSeek, vLLM and llama.cpp do. An error in mid-stream is an object with `error`, and no [DONE] follows.
"""

from __future__ import annotations

from typing import Any

from llamafarm.core.events import Event, Failed, Finished, NextTurn, ReasoningDelta, TextDelta, ToolCalled
from llamafarm.server.api.bodies.jsons import dumps
from llamafarm.server.api.completions.completion import call_json
from llamafarm.server.api.completions.trace import Trace, usage_json
from llamafarm.server.api.errors import ApiError, failed

BETWEEN_TURNS = "\n\n"  # as in the whole text of an answer that took several turns of tools
DONE = b"data: [DONE]\n\n"


class Chunks:
    """Turns what `trace` was just given into bytes; nothing before the first content, so that a head can wait."""

    def __init__(self, trace: Trace, name: str, created: int, *, with_usage: bool) -> None:
        self._trace = trace
        self._head: dict[str, Any] = {"id": name, "object": "chat.completion.chunk", "created": created}
        self._with_usage = with_usage
        self._begun = False
        self._calls = 0
        self._before = self._after = b""
        self._apart: dict[bytes, str] = {}  # what goes before the next piece of a kind that has begun

    def of(self, event: Event) -> bytes:
        """The bytes that `event` gives, if any."""
        match event:
            case TextDelta(text=text):
                return self._piece(b'"content":', text)
            case ReasoningDelta(text=text):
                return self._piece(b'"reasoning_content":', text)
            case ToolCalled(call=call) if not self._trace.is_ours(call):
                told = [{"index": self._calls, **call_json(call)}]
                self._calls += 1
                return self._opening() + self._before + b'"tool_calls":' + dumps(told) + self._after
            case NextTurn():
                self._apart = dict.fromkeys(self._apart, BETWEEN_TURNS)
                return b""
            case Finished():
                return self._opening() + self._closing()
            case Failed():
                return self._error(event)
            case _:
                return b""

    def _piece(self, kind: bytes, text: str) -> bytes:
        if apart := self._apart.get(kind):
            text = apart + text
        self._apart[kind] = ""
        return self._opening() + self._before + kind + dumps(text) + self._after

    def _opening(self) -> bytes:
        """The first chunk, once; only now is it known which model answers."""
        if self._begun:
            return b""
        self._begun = True
        self._head["model"] = self._trace.model.name
        frame = dumps(self._head)[:-1]
        usage = b',"usage":null' if self._with_usage else b""
        self._before = b"data: " + frame + b',"choices":[{"index":0,"delta":{'
        self._after = b'},"finish_reason":null}]' + usage + b"}\n\n"
        return self._chunk({"role": "assistant", "content": ""}, None, llamafarm=self._trace.first())

    def _closing(self) -> bytes:
        reply = self._trace.reply()
        last = self._chunk({}, self._trace.finish_reason(reply), llamafarm=self._trace.last(reply))
        if not self._with_usage:
            return last + DONE
        return last + _event({**self._head, "choices": [], "usage": usage_json(reply.usage)}) + DONE

    def _chunk(self, delta: dict[str, Any], reason: str | None, **more: Any) -> bytes:
        usage = {"usage": None} if self._with_usage else {}
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _event({**self._head, "choices": [choice], **usage, **more})

    def _error(self, failure: Failed) -> bytes:
        reply = self._trace.reply()
        return error_event(failed(failure, self._trace.last(reply), retries=len(reply.retries)))


def error_event(error: ApiError) -> bytes:
    """An error in mid-stream."""
    return _event(error.body())


def _event(value: Any) -> bytes:
    return b"data: " + dumps(value) + b"\n\n"
