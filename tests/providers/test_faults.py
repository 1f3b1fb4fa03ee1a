"""The contract of all providers: whatever a server does, the same states, words and kept text."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llamafarm.core.errors import (
    AuthFailed,
    BadAnswer,
    ContextTooLong,
    Interrupted,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
)
from llamafarm.core.events import Asking, Event, Finished, Loaded, Sent, Started, ToolCalled, UsageReported
from llamafarm.core.types import Count, ToolCall, Usage
from llamafarm.engine.lane import Lane, failure
from llamafarm.engine.replies import Replies
from llamafarm.pricing import PriceBook
from tests.engine.fakes import project
from tests.faultserver.server import Exchange, FaultServer, Script
from tests.faultserver.speech import (
    TYPES,
    Protocol,
    answer,
    chunk,
    ending,
    event,
    plays,
    record,
    refuses,
    said,
    thought,
)
from tests.providers.helpers import KEY, PROMPT, QUICK, REQUEST, ask, named, reasoning_of, text_of

HEADER = b64encode(f"Bearer {KEY}".encode()).decode()
Make = Callable[[Protocol], Script]
SHORT = {"connect": 1, "first_token": 0.4, "between_tokens": 0.4, "total": 5}  # for servers that say nothing
AMPLE = {"connect": 30, "first_token": 30, "between_tokens": 30, "total": 60}  # on a busy machine too


@dataclass(frozen=True)
class Case:
    """A fault, and what becomes of it. `only` names the one protocol that has it."""

    name: str
    script: Make
    error: type[ProviderError] | None = None
    says: str = ""
    hint: str = ""
    text: str = ""
    reasoning: str = ""
    finish: str = "stop"
    usage: Usage | None = field(default_factory=lambda: Usage(Count(11, "reported"), Count(7, "reported")))
    status: int | None = None
    calls: tuple[ToolCall, ...] = ()
    only: Protocol | None = None


def whole(*pieces: Callable[[Protocol], bytes]) -> Make:
    return lambda protocol: plays(protocol, [piece(protocol) for piece in pieces])


def text(words: str) -> Callable[[Protocol], bytes]:
    return lambda protocol: said(protocol, words)


def end(reason: str = "stop", *, usage: bool = True) -> Callable[[Protocol], bytes]:
    return lambda protocol: ending(protocol, reason) if usage else ending(protocol, reason, usage=None)


def refusing(status: int, message: str, content_type: str = "application/json", **headers: str) -> Make:
    body = message if content_type == "text/html" else None
    return lambda protocol: refuses(
        status,
        body or ({"error": {"message": message}} if protocol == "openai" else {"error": message}),
        content_type,
        **headers,
    )


def body_of(content_type: str, data: bytes, **headers: str) -> Make:
    async def script(exchange: Exchange) -> None:
        await exchange.head(200, content_type, **headers)
        await exchange.send(data)
        await exchange.end()

    return lambda _: script


def split_everywhere(protocol: Protocol) -> Script:
    data = b"".join(answer(protocol, "spl", "it \U0001f999"))
    return plays(protocol, [data[at : at + 1] for at in range(len(data))])


def gzipped(protocol: Protocol) -> Script:
    data = gzip.compress(b"".join(answer(protocol, "small")))
    return body_of(TYPES[protocol], data, content_encoding="gzip")(protocol)


def crlf(protocol: Protocol) -> Script:
    return plays(protocol, [piece.replace(b"\n", b"\r\n") for piece in answer(protocol, "cr", "lf")])


def garbled(protocol: Protocol) -> Script:
    good = said(protocol, "a€b")
    at = good.index("€".encode()) + 1
    return plays(protocol, [good[:at], b"\xff" + good[at + 1 :], ending(protocol)])


def in_stream(message: str) -> Make:
    def make(protocol: Protocol) -> Script:
        detail = event({"error": {"message": message}}) if protocol == "openai" else record(error=message)
        return plays(protocol, [said(protocol, "half"), detail])

    return make


def not_finite(protocol: Protocol) -> Script:
    good = said(protocol, "on").replace(b'"created": 1', b'"created": NaN').replace(b'"done"', b'"x": NaN, "done"')
    return plays(protocol, [good, ending(protocol)])


REDIRECT: Make = lambda _: refuses(307, {}, location="http://127.0.0.1:1/elsewhere")  # noqa: E731 - a row's value
LATER = format_datetime(datetime.now(UTC) + timedelta(hours=1))
TOO_LONG = "This model's maximum context length is 8192 tokens"
CALLED = (ToolCall("call_1", "look", '{"x": 1}'),)

CASES = [
    # refusals
    Case("400", refusing(400, "temperature is too high"), RequestRejected, "“temperature is too high”", status=400),
    Case("401", refusing(401, f"Incorrect API key: {KEY}"), AuthFailed, "refuses the key", "LANE_KEY", status=401),
    Case("403", refusing(403, "not allowed"), AuthFailed, "HTTP 403", "LANE_KEY", status=403),
    Case("404 model", refusing(404, "model 'llama3.1:8b' not found"), ModelNotFound, "does not have the model",
         status=404),
    Case("404 path", refusing(404, "page not found"), RequestRejected, "nothing at this address", "/v1", status=404),
    Case("408", refusing(408, "too slow"), ServerFailed, "gave up waiting", status=408),
    Case("413", refusing(413, "too large"), ContextTooLong, "HTTP 413", "Shorten", status=413),
    Case("context", refusing(400, TOO_LONG), ContextTooLong, "maximum context", "Shorten", status=400),
    Case("429", refusing(429, "slow down"), RateLimited, "limits the rate", "Wait", status=429),
    Case("429 seconds", refusing(429, "slow down", retry_after="3600"), RateLimited, "limits", "3600 s", status=429),
    Case("429 date", refusing(429, "slow down", retry_after=LATER), RateLimited, "limits", "to wait", status=429),
    Case("500", refusing(500, "oops"), ServerFailed, "“oops”", status=500),
    Case("502 html", refusing(502, "<html><title>Bad Gateway</title><body>nginx</body></html>", "text/html"),
         ServerFailed, "“Bad Gateway”", status=502),
    Case("503 loading", refusing(503, "the model is loading"), ServerFailed, "HTTP 503", "loading", status=503),
    Case("redirect", REDIRECT, BadAnswer, "redirects to", "base_url", status=307),
    Case("echo of the prompt", refusing(400, f"bad request: {PROMPT} {KEY}"), RequestRejected, "(prompt)", status=400),
    # echoes of the key
    Case("echo of the key", lambda p: plays(p, [said(p, f"so {KEY[:9]}"), said(p, f"{KEY[9:]}."), ending(p)]),
         text="so (hidden)."),
    Case("echo of the key in reasoning", lambda p: plays(p, [thought(p, KEY[:20]), thought(p, KEY[20:]),
         *answer(p, "so")]), text="so", reasoning="(hidden)"),
    Case("echo of the header in base64", whole(text(f"so {HEADER}, right?"), end("stop")),
         text=f"so {HEADER[:10]}(hidden), right?"),
    Case("echo of half the key, and a cut", lambda p: plays(p, [said(p, f"so {KEY[:20]}")], then="cut"), Interrupted,
         "cut the connection", text="so (hidden)"),
    Case("echo in an error, in base64", refusing(401, f"no: {HEADER}"), AuthFailed, "(hidden)", status=401),
    Case("echo where an error is cut", refusing(400, f"{'no! ' * 48}{KEY}"), RequestRejected, "no!", status=400),
    Case("echo in an error in the stream", in_stream(f"no {KEY}"), ServerFailed, "“no (hidden)”", text="half"),
    # silence
    Case("no byte", lambda _: Exchange.hang, TimedOut, "Nothing of an answer within 0.4 s", "first_token"),
    Case("headers, then silence", lambda protocol: plays(protocol, [], then="hang"), TimedOut, "Nothing of an answer"),
    Case("stall in mid-stream", lambda protocol: plays(protocol, [said(protocol, "half")], then="hang"), TimedOut,
         "stopped for more than 0.4 s", "between_tokens", text="half"),
    # endings
    Case("cut in mid-stream", lambda protocol: plays(protocol, [said(protocol, "half")], then="cut"), Interrupted,
         "cut the connection", text="half"),
    Case("ends without a word", whole(text("half")), Interrupted, "before the answer was complete", text="half"),
    Case("error in the stream", in_stream("GPU is gone"), ServerFailed, "“GPU is gone”", text="half"),
    Case("context error in the stream", in_stream(TOO_LONG), ContextTooLong, "maximum context", text="half"),
    Case("broken JSON", lambda protocol: plays(protocol, [said(protocol, "half"), event("{broken") if
         protocol == "openai" else b"{broken\n"]), BadAnswer, "JSON that can't be read", text="half"),
    Case("HTML of a proxy", body_of("text/html", b"<html>login</html>"), BadAnswer, "an HTML page", "base_url"),
    Case("nothing at all", whole(), BadAnswer, "no chat"),
    Case("empty answer", whole(end())),
    Case("no usage", whole(text("free"), end(usage=False)), text="free", usage=None),
    Case("cut at the limit", whole(text("long"), end("length")), text="long", finish="length"),
    # the bytes
    Case("an answer", whole(text("Hay"), text(" and grass."), end()), text="Hay and grass."),
    Case("split at every byte", split_everywhere, text="split \U0001f999"),
    Case("CRLF", crlf, text="crlf"),
    Case("gzip", gzipped, text="small"),
    Case("a byte that is no UTF-8", garbled, text="a\ufffd\ufffd\ufffdb"),
    Case("one line of 10 MB", whole(text("x" * 10_000_000), end()), text="x" * 10_000_000, usage=Usage(
         Count(11, "reported"), doubts=("The server counted 7 output tokens, not used: the answer has 10,000,000 letters.",))),
    Case("a number that is none", not_finite, text="on"),
    # reasoning
    Case("reasoning of its own", lambda protocol: plays(protocol, [thought(protocol, "hm"), *answer(protocol, "so")]),
         reasoning="hm", text="so"),
    Case("think tags", whole(text("<th"), text("ink>h"), text("m</thi"), text("nk>\n\nso"), end()), reasoning="hm",
         text="so"),
    # one protocol's own
    Case("reasoning", lambda p: plays(p, [chunk({"reasoning": "hm"}), *answer(p, "so")]), reasoning="hm", text="so",
         only="openai"),
    Case("no [DONE]", lambda p: plays(p, [chunk({"content": "so"}), chunk({}, "stop")]), text="so", usage=None,
         only="openai"),
    Case("[DONE] alone", lambda p: plays(p, [chunk({"content": "so"}), event("[DONE]")]), text="so", usage=None,
         finish="unknown", only="openai"),
    Case("usage null in each chunk", lambda p: plays(p, [chunk({"content": "so"}, usage=None), ending(p)]), text="so",
         only="openai"),
    Case("empty choices", lambda p: plays(p, [event({"choices": []}), *answer(p, "so")]), text="so", only="openai"),
    Case("role alone", lambda p: plays(p, [chunk({"role": "assistant", "content": None}), *answer(p, "so")]), text="so",
         only="openai"),
    Case("content filter", whole(text("so"), end("content_filter")), text="so", finish="content_filter", only="openai"),
    Case("comments and a BOM", lambda p: plays(p, [b"\xef\xbb\xbf: hi\n\n", *answer(p, "so"), b": bye\n"]), text="so",
         only="openai"),
    Case("no space after data:", lambda p: plays(p, [b.replace(b"data: ", b"data:") for b in answer(p, "so")]),
         text="so", only="openai"),
    Case("data over two lines",
         lambda p: plays(p, [said(p, "so").replace(b'"choices"', b'\ndata: "choices"'), ending(p)]), text="so",
         only="openai"),
    Case("one JSON instead of a stream", body_of("application/json", json.dumps({
        "choices": [{"message": {"content": "so"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }).encode()), text="so", only="openai"),
    Case("one JSON instead of records", body_of("application/json", json.dumps({
        "message": {"role": "assistant", "content": "so"}, "done": True, "done_reason": "stop",
        "prompt_eval_count": 11, "eval_count": 7,
    }).encode()), text="so", only="ollama"),
    Case("tool calls in pieces", lambda p: plays(p, [
        chunk({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "look", "arguments": '{"x"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
        ending(p, "tool_calls"),
    ]), calls=CALLED, finish="tool_calls", only="openai"),
    Case("tool call", lambda p: plays(p, [
        record({"content": "", "tool_calls": [{"function": {"name": "look", "arguments": {"x": 1}}}]}), ending(p),
    ]), calls=(ToolCall("call_0_look", "look", '{"x": 1}'),), finish="tool_calls", only="ollama"),
]  # fmt: skip

PROVIDERS: tuple[tuple[str, Protocol], ...] = (
    ("openai", "openai"), ("ollama", "ollama"), ("universal", "openai"), ("lemonade", "openai"),
)  # fmt: skip
ROWS = [
    pytest.param(case, protocol, provider, id=f"{case.name}-{provider}")
    for case in CASES
    for provider, protocol in PROVIDERS
    if case.only in (None, protocol)
]


@pytest.mark.parametrize(("case", "protocol", "provider"), ROWS)
async def test_fault(case: Case, protocol: Protocol, provider: str) -> None:
    async with FaultServer(case.script(protocol)) as server:
        timeout = SHORT if case.error is TimedOut else AMPLE
        events, error = await ask(named(provider, server.url, timeout=timeout))
        assert len(server.requests) == 1
    assert isinstance(events[0], Sent)
    assert text_of(events) == case.text
    assert reasoning_of(events) == case.reasoning
    assert tuple(event.call for event in events if isinstance(event, ToolCalled)) == case.calls
    if case.error is None:
        assert error is None
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == case.finish
        usages = [event.usage for event in events if isinstance(event, UsageReported)]
        assert usages == ([] if case.usage is None else [case.usage])
    else:
        assert type(error) is case.error
        assert case.says in error.message
        assert case.hint in error.hint
        assert error.status == case.status
        for words in (str(error), error.excerpt, repr(error)):
            assert KEY not in words
            assert KEY[:9] not in words
            assert HEADER[10:30] not in words
            assert PROMPT not in words
        assert len(str(error)) < 600
    the_lane_tells_the_truth(case, provider, server.url, events, error)


def the_lane_tells_the_truth(
    case: Case, provider: str, url: str, events: list[Event], error: ProviderError | None
) -> None:
    """What the lane shows of it: its state, the text that it keeps, and figures that are marked."""
    model = named(provider, url)
    whole = Replies(project([model]), (Lane("lane", model),), PriceBook())
    start = events[0].at
    for told in (Started(at=start), Asking(at=start, model=model.name, request=REQUEST), *events):
        whole.add("lane", told)
    if error is not None:
        whole.add("lane", failure(error))
    reply = whole.reply("lane")
    assert (reply.status, reply.text, reply.reasoning) == ("failed" if error else "done", case.text, case.reasoning)
    assert reply.timings.partial is (error is not None)
    assert (reply.timings.ttft_s is None) is (case.text == "")
    if error is not None:
        assert reply.failure is not None
        assert (reply.failure.message, reply.failure.status) == (error.message, case.status)
        assert reply.usage.source == ("estimated" if case.text else None)
    else:
        counted = case.usage is not None and case.usage.output is not None
        assert reply.usage.source == ("reported" if counted else "estimated")


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_tried_again(protocol: Protocol, status: int) -> None:
    async with FaultServer(plays(protocol, answer(protocol, "so")), refuses(status, {}), refuses(status, {})) as server:
        events, error = await ask(named(protocol, server.url), QUICK)
        assert len(server.requests) == 3
    assert error is None
    assert text_of(events) == "so"
    assert [event.attempt for event in events if hasattr(event, "attempt")] == [2, 3]


@pytest.mark.parametrize("status", [400, 401, 404, 413])
async def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    async with FaultServer(refuses(status, {"error": "model"})) as server:
        await ask(named("openai", server.url), QUICK)
        assert len(server.requests) == 1


async def test_an_answer_that_has_begun_is_not_asked_again() -> None:
    async with FaultServer(plays("openai", [said("openai", "half")], then="cut")) as server:
        events, error = await ask(named("openai", server.url), QUICK)
        assert len(server.requests) == 1
    assert isinstance(error, Interrupted)
    assert text_of(events) == "half"


async def test_ollama_tells_how_long_it_loaded() -> None:
    end = record({"content": ""}, done=True, done_reason="stop", load_duration=2_500_000_000)
    async with FaultServer(plays("ollama", [said("ollama", "so"), end])) as server:
        events, _ = await ask(named("ollama", server.url))
    assert [event.seconds for event in events if isinstance(event, Loaded)] == [2.5]


async def test_ollama_says_how_to_get_a_model() -> None:
    async with FaultServer(refuses(404, {"error": "model 'llama3.1:8b' not found"})) as server:
        _, error = await ask(named("ollama", f"{server.url}/v1"))
        assert server.requests[0].path == "/api/chat"
    assert error is not None
    assert error.hint == "Get it: ollama pull llama3.1:8b"


async def test_the_request_id_is_kept() -> None:
    async with FaultServer(refuses(500, {}, x_request_id="req-7")) as server:
        _, error = await ask(named("openai", server.url))
    assert error is not None
    assert error.request_id == "req-7"
