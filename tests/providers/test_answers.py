"""The contract of all providers: an answer that came is read whole, and one that failed is told as failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from llamafarm.config.model import NamedModel
from llamafarm.config.profiles import BUNDLED
from llamafarm.core.conditions import ModelNamed
from llamafarm.core.errors import BadAnswer, Interrupted, ProviderError, ServerFailed
from llamafarm.core.events import Finished, ToolCalled, UsageReported
from llamafarm.core.types import Count, ToolCall
from llamafarm.providers.answers import reading
from llamafarm.providers.answers.chat_chunks import ChatChunks
from llamafarm.providers.answers.deltas import Arrived
from llamafarm.providers.answers.pieces import Frame, piece_of
from llamafarm.providers.counts.usage import Counting
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import TYPES, Protocol, answer, chunk, ending, event, plays, record, said
from tests.providers.helpers import REQUEST, ask, named, reasoning_of, text_of

Make = Callable[[Protocol], Script]
PROVIDERS: tuple[tuple[str, Protocol], ...] = (
    ("openai", "openai"), ("ollama", "ollama"), ("universal", "openai"), ("lemonade", "openai"), ("embedded", "openai"),
)  # fmt: skip
WHOLE = {"choices": [{"message": {"content": "so"}, "finish_reason": "stop"}]}


@dataclass(frozen=True)
class Case:
    """What a server sends, and what becomes of it. `only` names the one protocol that has it."""

    name: str
    script: Make
    text: str = ""
    finish: str = "stop"
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    error: type[ProviderError] | None = None
    says: str = ""
    only: Protocol | None = None


def at(provider: str, url: str) -> NamedModel:
    """A model whose answers the server at `url` gives; it stands in for llama.cpp's process."""
    return named(provider, url, **({"model": BUNDLED} if provider == "embedded" else {}))


def body(data: bytes | str | dict[str, Any] | list[Any], kind: str = "application/json", then: str = "end") -> Make:
    """A script that sends `data` as it is, as content type `kind` (none where it is empty)."""
    sent = data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode()

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, kind)
        await exchange.send(sent)
        await {"end": exchange.end, "cut": exchange.cut, "hang": exchange.hang}[then]()

    return lambda _: script


def finished(protocol: Protocol, *, counted: bool = False) -> bytes:
    """The end of an answer, without what follows it."""
    if protocol == "ollama":
        return ending(protocol)
    usage = event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
    return chunk({}, "stop") + (usage if counted else b"")


def then(what: str, *more: bytes, counted: bool = False) -> Make:
    return lambda p: plays(p, [said(p, "so"), finished(p, counted=counted), *more], then=what)


def pieces(*deltas: dict[str, Any], finish: str = "stop") -> Make:
    return lambda p: plays(p, [*(chunk(delta) for delta in deltas), ending(p, finish)])


def spoken(*messages: dict[str, Any]) -> Make:
    return lambda p: plays(p, [*(record(message) for message in messages), ending(p)])


def broken(*data: bytes | dict[str, Any]) -> Make:
    """Half an answer, then `data`: a record in the protocol's own form."""
    return lambda p: plays(
        p,
        [said(p, "half"), *(
            each if isinstance(each, bytes) else event(each) if p == "openai" else json.dumps(each).encode() + b"\n"
            for each in data
        )],
    )  # fmt: skip


def call(name: str = "look", arguments: Any = '{"x": 1}', **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


def called(*pieces_: list[dict[str, Any]], finish: str = "tool_calls") -> Make:
    return pieces(*({"tool_calls": each} for each in pieces_), finish=finish)


LOOK = ToolCall("call_1", "look", '{"x": 1}')
FIND = ToolCall("call_2", "find", '{"y": 2}')

COMPLETE = [
    Case("cut after the end", then("cut"), "so"),
    Case("cut after the usage", then("cut", counted=True), "so"),
    Case("closed without [DONE]", then("end"), "so"),
    Case("silence after the end", then("hang"), "so"),
    Case("silence after the usage", then("hang", counted=True), "so"),
    Case("garbage after the end", then("end", b"\x00\xff{broken\n\n"), "so"),
    Case("HTML after the end", then("hang", b"<html>bye</html>\n\n"), "so"),
    Case("broken JSON after the end", then("end", b"data: {broken\n\n"), "so"),
    Case("an error after the end", then("end", event({"error": {"message": "too late"}})), "so", only="openai"),
    Case("more text after the end", then("end", chunk({"content": " then"}), event("[DONE]")), "so then",
         only="openai"),
    Case("[DONE] that no blank line ends, then silence", lambda p: plays(p, [said(p, "so"), chunk({}, "stop"),
         b"data: [DONE]\n"], then="hang"), "so", only="openai"),
    Case("finish_reason in the last piece, then cut", lambda p: plays(p, [chunk({"content": "so"}, "length")],
         then="cut"), "so", "length", only="openai"),
    Case("finish_reason null as text", lambda p: plays(p, [chunk({"content": "s"}, "null"), *answer(p, "o")]), "so",
         only="openai"),
    Case("a whole answer, then silence", body(json.dumps(WHOLE) + "\n", then="hang"), "so", only="openai"),
]  # fmt: skip

FAILURES = [
    Case("finish_reason error", lambda p: plays(p, [said(p, "half"), event({"choices": [{"index": 0, "delta": {},
         "finish_reason": "error", "error": {"code": 502, "message": "GPU is gone"}}]}), event("[DONE]")]), "half",
         error=ServerFailed, says="GPU is gone", only="openai"),
    Case("finish_reason error without words", lambda p: plays(p, [said(p, "half"), chunk({}, "error")]), "half",
         error=ServerFailed, says="finish_reason: error", only="openai"),
    Case("finish_reason abort", lambda p: plays(p, [said(p, "half"), chunk({}, "abort")]), "half", error=ServerFailed,
         says="abort", only="openai"),
    Case("an error in a delta", lambda p: plays(p, [said(p, "half"), chunk({"error": {"message": "gone"}})]), "half",
         error=ServerFailed, says="gone", only="openai"),
    Case("event: error", broken(b'event: error\ndata: {"message": "GPU is gone"}\n\n'), "half", error=ServerFailed,
         says="“GPU is gone”"),
    Case("event: error with plain words", broken(b"event: error\ndata: GPU is gone\n\n"), "half", error=ServerFailed,
         says="“GPU is gone”"),
    Case("object error", broken({"object": "error", "message": "GPU is gone", "code": 50000}), "half",
         error=ServerFailed, says="“GPU is gone”"),
    Case("detail", broken({"detail": "GPU is gone"}), "half", error=ServerFailed, says="“GPU is gone”"),
    Case("a list of details", broken({"detail": [{"loc": ["body", "x"], "msg": "too large"}]}), "half",
         error=ServerFailed, says="“body.x: too large”"),
    Case("error as text", broken({"error": "GPU is gone"}), "half", error=ServerFailed, says="“GPU is gone”"),
    Case("type error", broken({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
         "half", error=ServerFailed, says="“Overloaded”"),
    Case("errors", broken({"success": False, "errors": [{"message": "a"}, {"message": "b"}]}), "half",
         error=ServerFailed, says="“a; b”"),
    Case("JSON within the text of an error", broken({"error": '{"error": {"message": "n_ctx is small"}}'}), "half",
         error=ServerFailed, says="“n_ctx is small”"),
    Case("a provider's own words", broken({"error": {"message": "Provider returned error", "metadata": {"raw":
         '{"error": "GPU is gone"}'}}}), "half", error=ServerFailed, says="“Provider returned error: GPU is gone”"),
    Case("JSON without data:", broken(b'{"error": {"message": "GPU is gone"}}\n'), "half", error=ServerFailed,
         says="“GPU is gone”"),
    Case("JSON over many lines", broken(b'{\n  "error": {\n    "message": "GPU is gone"\n  }\n}\n'), "half",
         error=ServerFailed, says="“GPU is gone”"),
    Case("plain words in the stream", broken(b"Internal Server Error\n"), "half", error=ServerFailed,
         says="“Internal Server Error”"),
    Case("HTML in the stream", broken(b"<html><head><title>504 Gateway</title></head></html>\n"), "half",
         error=ServerFailed, says="“504 Gateway”"),
    Case("an error alone", body({"error": {"message": "GPU is gone", "code": 500}}), error=ServerFailed,
         says="“GPU is gone”"),
    Case("an error alone, in a list", body([{"error": {"message": "GPU is gone"}}]), error=ServerFailed,
         says="“GPU is gone”"),
    Case("an error alone, in a stream", body({"detail": "GPU is gone"}, "text/event-stream"), error=ServerFailed,
         says="“GPU is gone”"),
    Case("an error in a whole answer", body({"choices": [{"message": {"content": ""}, "finish_reason": "error",
         "error": {"message": "GPU is gone"}}]}), error=ServerFailed, says="“GPU is gone”"),
    Case("HTML for a stream", body("<!DOCTYPE html><title>Sign in</title>", "text/event-stream"), error=BadAnswer,
         says="an HTML page: “Sign in”"),
    Case("plain words alone", body("no healthy upstream", "text/plain"), error=BadAnswer, says="“no healthy upstream”"),
    Case("another kind of JSON", body({"status": "up"}), error=BadAnswer, says="no chat answer"),
]  # fmt: skip

FORMS = [
    Case("parts", pieces({"content": [{"type": "text", "text": "s"}, {"type": "text", "text": "o"}]}), "so"),
    Case("other parts", pieces({"content": ["s", {"type": "output_text", "text": "o"}, {"text": {"value": "!"}}]}),
         "so!"),
    Case("thinking parts", pieces({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
         {"type": "text", "text": "so"}]}), "so", reasoning="hm"),
    Case("a part without text", pieces({"content": [{"type": "image_url", "image_url": {"url": "x"}}]}),
         "(a part of type image_url, which is not shown)"),
    Case("a refusal", pieces({"refusal": "I "}, {"refusal": "won't."}), "I won't."),
    Case("a refusal as a part", pieces({"content": [{"type": "refusal", "refusal": "no"}]}), "no"),
    Case("a whole answer in parts", body({"choices": [{"message": {"content": [{"type": "text", "text": "so"}],
         "refusal": None}, "finish_reason": "stop"}]}), "so"),
    Case("a legacy completion", lambda p: plays(p, [event({"choices": [{"text": "s", "index": 0}]}),
         event({"choices": [{"text": "o", "index": 0, "finish_reason": "stop"}]}), event("[DONE]")]), "so"),
    Case("delta as text", lambda p: plays(p, [event({"choices": [{"delta": "so"}]}), ending("openai")]), "so"),
    Case("message for delta", lambda p: plays(p, [event({"choices": [{"message": {"content": "s"}}]}),
         event({"choices": [{"message": {"content": "o"}, "finish_reason": "stop"}]})]), "so"),
    Case("a message behind deltas", lambda p: plays(p, [chunk({"content": "s"}), event({"choices": [{"delta": {},
         "message": {"content": "so"}, "finish_reason": "stop"}]})]), "so"),
    Case("a message that repeats the deltas", lambda p: plays(p, [chunk({"content": "so"}), event({"choices": [{
         "delta": {}, "message": {"content": "so"}, "finish_reason": "stop"}]})]), "so"),
    Case("reasoning as an object", pieces({"reasoning": {"content": "hm"}}, {"content": "so"}), "so", reasoning="hm"),
    Case("reasoning in details", pieces({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
         {"content": "so"}), "so", reasoning="hm"),
    Case("the words of audio", pieces({"audio": {"transcript": "so"}}), "so"),
    Case("a second answer", lambda p: plays(p, [event({"choices": [{"index": 0, "delta": {"content": "so"}},
         {"index": 1, "delta": {"content": "no"}}]}), event({"choices": [{"index": 1, "delta": {"content": "no"}}]}),
         ending("openai")]), "so"),
    Case("text under an unknown name", pieces({"antwort": "so"}), error=BadAnswer, says="“so”"),
    Case("text of another API", body({"response": "so", "done": True}), "so"),
    Case("pieces of another API", lambda p: plays(p, [event({"content": "s", "stop": False}), event({"content": "o",
         "stop": True})]), "so"),
    # record forms
    Case("records for a stream", lambda p: plays("ollama" if p == "openai" else "openai", answer("ollama" if
         p == "openai" else "openai", "s", "o")), "so"),
    Case("records as plain text", lambda p: body(b"".join(answer(p, "so")), "text/plain")(p), "so"),
    Case("records as JSON", lambda p: body(b"".join(answer(p, "so")), "application/json")(p), "so"),
    Case("records as HTML", lambda p: body(b"".join(answer(p, "so")), "text/html")(p), "so"),
    Case("records of no type", lambda p: body(b"".join(answer(p, "so")), "")(p), "so"),
    Case("a byte order mark", lambda p: body(b"\xef\xbb\xbf" + b"".join(answer(p, "so")), TYPES[p])(p), "so"),
    Case("CR alone", lambda p: plays(p, [b.replace(b"\n", b"\r") for b in answer(p, "s", "o")]), "so"),
    Case("chunks without data:", body(b"".join(b.removeprefix(b"data: ") for b in answer("openai", "s", "o")),
         "text/event-stream"), "so"),
    Case("events without blank lines", body(b"".join(answer("openai", "s", "o")).replace(b"\n\n", b"\n"),
         "text/event-stream"), "so"),
    Case("events of two records", body(b"data: " + b"\ndata: ".join(b[6:-2] for b in answer("openai", "s", "o")) +
         b"\n\n", "text/event-stream"), "so"),
    Case("records on one line", body(b"".join(b.strip() for b in answer("ollama", "s", "o}{")), "text/plain"), "so}{"),
    Case("records in a list", body(b"[" + b",\n".join(b.strip() for b in answer("ollama", "s", "o")) + b"]"), "so"),
    Case("records over many lines", body("\n".join(json.dumps(json.loads(b), indent=2) for b in
         answer("ollama", "s", "o"))), "so"),
    Case("events with types and ids", body(b"".join(b"id: 1\nevent: completion\n" + b for b in answer("openai", "s",
         "o")), "text/event-stream"), "so"),
    Case("pings between", lambda p: plays(p, [b"event: ping\ndata: now\n\n", said(p, "s"), b": hi\n\n", said(p, "o"),
         ending(p)]), "so"),
    # halves of characters
    Case("half a character each", lambda p: plays(p, [raw(p, "hi \\ud83d"), raw(p, "\\ude00 there"), ending(p)]),
         "hi \U0001f600 there"),
    Case("half a character at the end", lambda p: plays(p, [raw(p, "hi \\ud83d"), ending(p)]), "hi \ufffd"),
    Case("half a character alone", lambda p: plays(p, [raw(p, "a\\ude00b"), raw(p, "\\ud83d"), raw(p, "c"),
         ending(p)]), "a\ufffdb\ufffdc"),
    Case("half a character, and a cut", lambda p: plays(p, [raw(p, "hi \\ud83d")], then="cut"), "hi \ufffd",
         error=Interrupted),
    Case("half a character in an error", broken(b'{"error": "no \\ud83d"}\n'), "half", error=ServerFailed,
         says="“no \ufffd”"),
]  # fmt: skip

CALLS = [
    Case("one index, two ids", called(
        [call("look", "", index=0, id="call_1")], [{"index": 0, "function": {"arguments": '{"x": 1}'}}],
        [call("find", "", index=0, id="call_2")], [{"index": 0, "function": {"arguments": '{"y": 2}'}}]),
        finish="tool_calls", calls=(LOOK, FIND)),
    Case("pieces of two calls by turns", called(
        [call("look", '{"x"', index=0, id="call_1"), call("find", '{"y"', index=0, id="call_2")],
        [{"index": 0, "id": "call_1", "function": {"arguments": ": 1}"}}],
        [{"index": 0, "id": "call_2", "function": {"arguments": ": 2}"}}]), finish="tool_calls", calls=(LOOK, FIND)),
    Case("no index", called(
        [call("look", '{"x"', id="call_1")], [{"function": {"arguments": ": 1}"}}],
        [call("find", '{"y": 2}', id="call_2")]), finish="tool_calls", calls=(LOOK, FIND)),
    Case("no index and no id", called([call("look")], [call("find", '{"y": 2}')]), finish="tool_calls",
         calls=(ToolCall("call_0", "look", '{"x": 1}'), ToolCall("call_1", "find", '{"y": 2}'))),
    Case("the same twice, without ids", called([call("look", index=0)], [call("look", index=0)]), finish="tool_calls",
         calls=(ToolCall("call_0", "look", '{"x": 1}'), ToolCall("call_1", "look", '{"x": 1}'))),
    Case("index as text", called(
        [call("look", '{"x"', index="0", id="call_1")], [call("find", '{"y": 2}', index="1", id="call_2")],
        [{"index": "0", "function": {"arguments": ": 1}"}}]), finish="tool_calls", calls=(LOOK, FIND)),
    Case("id and name in each piece", called(
        [call("look", '{"x"', index=0, id="call_1")], [call("look", ": 1}", index=0, id="call_1")]),
        finish="tool_calls", calls=(LOOK,)),
    Case("the same id at two places", called([call(index=0, id="call_1"), call("find", '{"y": 2}', index=1,
         id="call_1")]), finish="tool_calls", calls=(LOOK, ToolCall("call_1", "find", '{"y": 2}'))),
    Case("arguments as an object", called([call("look", {"x": 1}, index=0, id="call_1")]), finish="tool_calls",
         calls=(LOOK,)),
    Case("arguments null", called([call("look", None, index=0, id="call_1")]), finish="tool_calls",
         calls=(ToolCall("call_1", "look", "{}"),)),
    Case("arguments empty", called([call("look", "", index=0, id="call_1")]), finish="tool_calls",
         calls=(ToolCall("call_1", "look", "{}"),)),
    Case("arguments with half characters", lambda p: plays(p, [raw_call("\\ud83d"), raw_call("\\ude00", name=""),
         ending("openai", "tool_calls")]), finish="tool_calls",
         calls=(ToolCall("call_1", "look", '{"x": "\U0001f600"}'),)),
    Case("a flat call", called([{"id": "call_1", "type": "function", "name": "look", "arguments": {"x": 1}}]),
         finish="tool_calls", calls=(LOOK,)),
    Case("a call without a name", called([{"id": "call_1", "function": {"arguments": "{}"}}]), finish="tool_calls",
         calls=(ToolCall("call_1", "(no name)", "{}"),)),
    Case("calls in a whole answer", body({"choices": [{"message": {"content": None, "tool_calls": [
        call(id="call_1"), call("find", {"y": 2}, id="call_2")]}, "finish_reason": "stop"}]}), finish="tool_calls",
        calls=(LOOK, FIND)),
    Case("calls in a message behind a delta", lambda p: plays(p, [chunk({"content": "so"}), event({"choices": [{
        "delta": {}, "message": {"content": "so", "tool_calls": [call(id="call_1")]}, "finish_reason": "stop"}]})]),
        text="so", finish="tool_calls", calls=(LOOK,)),
    Case("a legacy call", pieces({"function_call": {"name": "look", "arguments": ""}}, {"function_call":
         {"arguments": '{"x": 1}'}}, finish="function_call"), finish="tool_calls",
         calls=(ToolCall("call_0", "look", '{"x": 1}'),)),
    Case("a call as a part", pieces({"content": [{"type": "tool_use", "id": "call_1", "name": "look", "input":
         {"x": 1}}]}, finish="tool_use"), finish="tool_calls", calls=(LOOK,)),
    Case("stop with a call", called([call(index=0, id="call_1")], finish="stop"), finish="tool_calls", calls=(LOOK,)),
    Case("a server's own ids", spoken({"content": "", "tool_calls": [call(arguments={"x": 1}, id="call_1")]},
         {"content": "", "tool_calls": [call("find", {"y": 2}, id="call_2")]}), finish="tool_calls",
         calls=(LOOK, FIND)),
    Case("records of calls with one index", spoken({"tool_calls": [{"function": {"index": 0, "name": "look",
         "arguments": {"x": 1}}}]}, {"tool_calls": [{"function": {"index": 0, "name": "look", "arguments":
         {"x": 1}}}]}), finish="tool_calls", calls=(ToolCall("", "look", '{"x": 1}'),) * 2),
]  # fmt: skip


def raw(protocol: Protocol, text: str) -> bytes:
    """A piece of text whose JSON is written as `text` stands."""
    return said(protocol, "TEXT").replace(b"TEXT", text.encode())


def raw_call(text: str, name: str = "look") -> bytes:
    """A piece of a call's arguments: the first with its beginning, the last with its end."""
    arguments = r"{\"x\": \"" + text if name else text + r"\"}"
    piece = chunk({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": name, "arguments": "TEXT"}}]})
    return piece.replace(b"TEXT", arguments.encode())


ROWS = [
    pytest.param(case, protocol, provider, id=f"{case.name}-{provider}")
    for case in (*COMPLETE, *FAILURES, *FORMS, *CALLS)
    for provider, protocol in PROVIDERS
    if case.only in (None, protocol)
]


@pytest.mark.parametrize(("case", "protocol", "provider"), ROWS)
async def test_an_answer(case: Case, protocol: Protocol, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "USAGE_S", 0.2)
    async with FaultServer(case.script(protocol)) as server:
        events, error = await asyncio.wait_for(ask(at(provider, server.url)), 20)
        assert len(server.requests) == 1
    calls = tuple(each.call for each in events if isinstance(each, ToolCalled))
    assert text_of(events) == case.text
    assert reasoning_of(events) == case.reasoning
    assert [(each.name, each.arguments) for each in calls] == [(each.name, each.arguments) for each in case.calls]
    assert all(told.id.startswith(each.id) for told, each in zip(calls, case.calls, strict=True))
    if case.error is None:
        assert error is None
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == case.finish
    else:
        assert type(error) is case.error
        assert case.says in error.message
    for each in events:
        json.dumps(str(each)).encode()
        str(each).encode()  # no half of a character is left


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
async def test_usage_behind_the_end_is_waited_for(provider: str, protocol: Protocol) -> None:
    late = event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
    more: list[bytes | float | asyncio.Event] = [0.1, late, event("[DONE]")] if protocol == "openai" else []
    async with FaultServer(plays(protocol, [said(protocol, "so"), finished(protocol), *more])) as server:
        events, error = await ask(at(provider, server.url))
    assert error is None
    usage = next(each.usage for each in events if isinstance(each, UsageReported))
    assert (usage.input, usage.output) == (Count(11, "reported"), Count(7, "reported"))
    assert events[-1].at - events[0].at < 20


@pytest.mark.parametrize(("provider", "protocol"), PROVIDERS)
async def test_a_connection_that_stays_open_is_given_up(
    provider: str, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "USAGE_S", 0.05)
    async with FaultServer(then("hang")(protocol)) as server:
        events, error = await ask(at(provider, server.url))
        await asyncio.wait_for(server.requests[0].gone.wait(), 10)
    assert error is None
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize(
    "chunk",
    [
        {"usage": {"prompt_tokens": 11, "completion_tokens": 3}},
        {"llamafarm": {"model": "fast", "provider": "ollama", "model_id": "x"}},
        {"error": {"message": "Out of hay."}},
        {"x_context_usage": {"truncated": True, "truncated_messages": 1, "strategy_used": "middle_out"}},
        {"choices": [{"index": 0, "delta": {"content": "x"}, "usage": {"prompt_tokens": 1, "completion_tokens": 1}}]},
        {"choices": [{"index": 0, "delta": {"content": "x"}, "error": {"message": "Out of hay."}}]},
        {"choices": [{"index": 0, "delta": {"content": "x", "reasoning": "so"}}]},
        {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]},
        {"choices": [{"index": 1, "delta": {"content": "x"}}]},
        {"choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "x"}]}}]},
        {"choices": [{"index": 0, "delta": {"content": "x"}}, {"index": 1, "delta": {"content": "y"}}]},
    ],
)
def test_only_a_piece_of_text_and_nothing_else_is_read_in_few_steps(chunk: dict[str, Any]) -> None:
    plain: dict[str, Any] = {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": "hay"}, "finish_reason": None}],
    }
    assert piece_of(plain, 0) == "hay"
    assert piece_of({**plain, **chunk}, 0) is None


def test_pieces_of_a_server_that_names_no_model_are_read_in_few_steps_too() -> None:
    """Until one names it: that record takes a closer look."""
    came, chat = Arrived(1.0), ChatChunks(Counting(REQUEST, None))
    piece: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": "hay"}}]}
    assert not chat.quick(json.dumps(piece), came)  # the first is read with care
    chat.feed(piece, came)
    assert chat.quick(json.dumps(piece), came)
    assert chat.framed(json.dumps(piece)) == "hay"
    assert chat.quick(json.dumps(piece | {"model": None}), came)
    late = piece | {"model": "m"}
    assert not chat.quick(json.dumps(late), came)
    chat.feed(late, came)
    assert chat.quick(json.dumps(late), came)
    told = came.events()
    assert text_of(told) == "hay" * 5
    assert [event.model for event in told if isinstance(event, ModelNamed)] == ["m"]


@pytest.mark.parametrize(
    "text",
    ["hay", " and wool", "", 'a "quoted" word', "back\\slash", "\n", "\x7f", "\u00a0", "Wolle für Ö", "🦙", "\u2028"],
)
@pytest.mark.parametrize(
    "frame",
    [
        '{"id":"c","choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}',
        '{"choices": [{"delta": {"content": %s}, "index": 0, "logprobs": null}], "model": "hay"}',
        '{"model":"hay","message":{"role":"assistant","content":%s},"done":false}',
    ],
)
def test_a_text_cut_out_of_its_frame_is_the_one_that_parsing_gives(frame: str, text: str) -> None:
    index = 0 if "choices" in frame else None
    known = Frame()
    known.learn(frame % '" wool"', " wool", index)
    assert known.text(frame % '" llama"') == " llama"
    written = frame % json.dumps(text, ensure_ascii=False)
    assert known.text(written) in (None, piece_of(json.loads(written), index))


def test_a_frame_is_left_where_anything_but_the_text_changes() -> None:
    frame = '{"choices":[{"index":0,"delta":{"content":%s},"finish_reason":%s}]}'
    known = Frame()
    known.learn(frame % ('"hay"', "null"), "hay", 0)
    assert known.text(frame % ('"hay"', '"stop"')) is None
    assert known.text(frame % ('"a","role":"b"', "null")) is None
    assert known.text(frame % ('"', "null")) is None


def test_no_frame_is_learned_around_a_text_that_is_not_the_piece() -> None:
    record = '{"choices":[{"index":0,"delta":{"content":"hay"},"token":"hay"}]}'
    known = Frame()
    known.learn(record, "hay", 0)
    assert known.text(record) is None
