"""Tools in the prompt, calls in the text."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from llamafarm.core.errors import Interrupted, RequestRejected
from llamafarm.core.events import Asking, Event, Finished, ReasoningDelta, Started, TextDelta, ToolCalled, UsageReported
from llamafarm.core.types import ChatRequest, Cost, Count, Message, ToolCall, Usage
from llamafarm.engine.fold.fold import Fold
from llamafarm.providers.policies.prompted import Prompted
from tests.engine.fakes import Scripted, Step, model

LOOK: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "To look at things. It takes some time.",
        "parameters": {"type": "object", "properties": {"at": {"type": "string", "description": "Where."}}},
    },
}
CALL = '<tool_call>{"name": "look", "arguments": {"at": "barn"}}</tool_call>'
USER = Message("user", "What is in the barn?")


async def ask(request: ChatRequest, *steps: Step, window: int = 4096) -> tuple[list[Event], ChatRequest]:
    inner = Scripted(*steps)
    async with aclosing(Prompted(inner, window).stream(request)) as events:
        told = [event async for event in events]
    return told, inner.requests[0]


async def test_tools_go_into_the_system_prompt() -> None:
    request = ChatRequest((Message("system", "Be brief."), USER), {"seed": 1}, (LOOK,))
    _, sent = await ask(request, "Hay.")
    assert (sent.tools, sent.parameters, sent.messages[1]) == ((), {"seed": 1}, USER)
    guide = sent.messages[0].content
    assert guide.startswith("Be brief.\n\nYou can call tools.")
    assert '{"name": "look", "description": "To look at things. It takes some time.", "parameters": {' in guide
    assert '<tool_call>{"name": "the tool\'s name"' in guide
    _, bare = await ask(ChatRequest((USER,), tools=(LOOK,)), "Hay.")
    assert [message.role for message in bare.messages] == ["system", "user"]


TAKE: dict[str, Any] = {"type": "function", "function": {"name": "take", "parameters": {"type": "object"}}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "take"}}]}}  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "rule", "names"),
    [
        (None, "Where no tool is needed, just answer.", ["look", "take"]),
        ("auto", "Where no tool is needed, just answer.", ["look", "take"]),
        ("required", "Call a tool now: don't answer without one.", ["look", "take"]),
        ("any", "Call a tool now: don't answer without one.", ["look", "take"]),
        ({"type": "any"}, "Call a tool now: don't answer without one.", ["look", "take"]),
        ({"type": "function", "function": {"name": "take"}}, "Call the tool take now", ["take"]),
        ({"type": "function", "name": "take"}, "Call the tool take now", ["take"]),
        ({"type": "tool", "name": "take"}, "Call the tool take now", ["take"]),
        (ALLOWED, "Call the tool take now", ["take"]),
        ({**ALLOWED, "allowed_tools": {"mode": "auto", "tools": [TAKE]}}, "Where no tool is needed", ["take"]),
    ],
)
async def test_how_tools_may_be_called_is_said_in_the_prompt_and_nowhere_else(
    choice: Any, rule: str, names: list[str]
) -> None:
    parameters = {"seed": 1, "tool_choice": choice, "parallel_tool_calls": False}
    _, sent = await ask(ChatRequest((USER,), parameters, (LOOK, TAKE)), "Hay.")
    assert (sent.tools, sent.parameters) == ((), {"seed": 1})
    guide = sent.messages[0].content
    assert rule in guide
    assert guide.endswith("Call one tool at a time.")
    assert [name for name in ("look", "take") if f'{{"name": "{name}"' in guide] == names


async def test_none_describes_no_tools_and_reads_no_calls() -> None:
    told, sent = await ask(ChatRequest((USER,), {"tool_choice": "none"}, (LOOK,)), CALL)
    assert (sent.messages, sent.tools, sent.parameters) == ((USER,), (), {})
    assert "".join(event.text for event in told if isinstance(event, TextDelta)) == CALL
    assert not [event for event in told if isinstance(event, ToolCalled)]


async def test_without_tools_no_choice_is_sent_either() -> None:
    _, sent = await ask(ChatRequest((USER,), {"tool_choice": "required", "parallel_tool_calls": True}), "Hay.")
    assert (sent.messages, sent.parameters) == ((USER,), {})


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"type": "function", "function": {"name": "fly"}}, "names fly, which is none of the tools. There is: look."),
        ("sometimes", "not known"),
        ({"type": "function"}, "not known"),
        ({}, "not known"),
    ],
)
async def test_a_choice_that_there_is_not_is_refused(choice: Any, words: str) -> None:
    with pytest.raises(RequestRejected) as caught:
        await ask(ChatRequest((USER,), {"tool_choice": choice}, (LOOK,)), "Hay.")
    assert words in str(caught.value)


async def test_without_room_they_are_described_in_short() -> None:
    _, sent = await ask(ChatRequest((USER,), tools=(LOOK,) * 3), "Hay.", window=100)
    assert (
        '{"name": "look", "description": "To look at things", "arguments": {"at": "string"}}'
        in sent.messages[0].content
    )


async def test_llamafarms_own_form_of_a_tool() -> None:
    _, sent = await ask(ChatRequest((USER,), tools=({"type": "tool", "name": "look", "description": "x"}, {})), "Hay.")
    assert '{"name": "look", "description": "x"}' in sent.messages[0].content


async def test_calls_and_results_of_before_are_text() -> None:
    messages = (
        USER,
        Message("assistant", "I look. ", (ToolCall("1", "look", '{"at": "barn"}'), ToolCall("2", "look", "{}"))),
        Message("tool", "hay", tool_call_id="1"),
        Message("tool", "nothing", tool_call_id="2"),
    )
    for tools in ((LOOK,), ()):
        _, sent = await ask(ChatRequest(messages, tools=tools), "Hay.")
        asked, told = sent.messages[-2:]
        assert asked == Message(
            "assistant", f'I look.\n{CALL}\n<tool_call>{{"name": "look", "arguments": {{}}}}</tool_call>'
        )
        assert told.role == "user"
        assert told.content == "<tool_response>\nhay\n</tool_response>\n<tool_response>\nnothing\n</tool_response>"


async def test_a_call_is_an_event_and_no_text() -> None:
    thought = ReasoningDelta(at=1.0, text="<tool_call>hm")
    events, _ = await ask(ChatRequest((USER,), tools=(LOOK,)), thought, "I look. ", CALL[:9], CALL[9:])
    assert events[0] == thought
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["I look. "]
    assert [event.call for event in events if isinstance(event, ToolCalled)] == [
        ToolCall("call_1", "look", '{"at": "barn"}')
    ]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"


async def test_how_it_ended_stays_where_the_answer_was_cut() -> None:
    events, _ = await ask(ChatRequest((USER,), tools=(LOOK,)), CALL, Finished(at=1.0, reason="length"))
    assert events[-1] == Finished(at=1.0, reason="length")


async def test_without_tools_text_stays_as_it_is() -> None:
    events, sent = await ask(ChatRequest((USER,)), CALL)
    assert [event.text for event in events if isinstance(event, TextDelta)] == [CALL]
    assert sent.messages == (USER,)


async def test_what_was_held_back_is_told_before_an_error() -> None:
    seen: list[Event] = []
    inner = Scripted("Hay <tool", Interrupted("It broke."))
    async with aclosing(Prompted(inner, 4096).stream(ChatRequest((USER,), tools=(LOOK,)))) as events:
        seen += [await anext(events), await anext(events)]
        with pytest.raises(Interrupted):
            await anext(events)
    assert "".join(event.text for event in seen if isinstance(event, TextDelta)) == "Hay <tool"


PIECES = [*(piece for word in CALL.split(" ") for piece in (word[: len(word) // 2], word[len(word) // 2 :] + " "))]
SAID = ["There", " is", " hay", " in", " it", ",", " and", " a", " llama", "."]
STEP_S = 1 / 50  # a piece is a token, and 50 come in a second


@pytest.mark.parametrize(
    ("before", "after"), [([], SAID), (SAID, []), (SAID, SAID), (["<th", "ink>", "hm", "</think>", *SAID], SAID)]
)
async def test_the_tokens_of_a_hidden_call_count_with_their_time(before: list[str], after: list[str]) -> None:
    """Whether it is written before the text, after it or within it."""
    pieces = [*before, *PIECES * 3, *after]
    at = [10.0 + STEP_S * number for number in range(len(pieces))]
    steps = [TextDelta(at=when, text=text) for when, text in zip(at, pieces, strict=True)]
    counted = Usage(Count(99, "reported"), Count(len(pieces), "reported"))
    request = ChatRequest((USER,), tools=(LOOK,))
    told, _ = await ask(request, *steps, UsageReported(at=at[-1], usage=counted), Finished(at=at[-1], reason="stop"))
    fold = Fold("m", model("m"), lambda _: model("m"), lambda *_: Cost(None, "unknown"))
    for event in (Started(at=0.0), Asking(at=0.0, model="m", request=request), *told):
        fold.add(event)
    assert fold.reply(99.0).timings.tokens_per_s == pytest.approx(50.0)
    assert len(fold.reply(99.0).tool_calls) == 3
