"""Conversations that X-Session-ID continues: bounded, forgotten, and nobody else's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.types import Message
from llamafarm.server.api.completions import sessions
from llamafarm.server.api.completions.sessions import IDLE_S, MESSAGES, Conversations
from llamafarm.server.api.errors import ApiError
from tests.faultserver.speech import answer, plays, said
from tests.server.api.world import CHAT, PROMPTED, World

pytestmark = pytest.mark.asyncio(loop_scope="package")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def key(name: str = "s") -> tuple[str, str, str, str]:
    return ("anybody", "default", "my-project", name)


def turn(words: str = "hi") -> tuple[Message, Message]:
    return (Message("user", words), Message("assistant", f"{words}!"))


def sent(here: World) -> list[str]:
    """The texts that the model was asked last."""
    return [message["content"] for message in here.last.json()["messages"]]


async def say(here: World, text: str, session: str = "s1", path: str = CHAT, **body: Any) -> Any:
    messages = [{"role": "user", "content": text}]
    return await here.ask(path, messages=messages, headers={"X-Session-ID": session}, **body)


# --- over HTTP


async def test_a_session_continues_streamed_or_not_and_over_models(here: World) -> None:
    first = await say(here, "One", "continues")
    assert first.headers["x-session-id"] == "continues"
    assert first.json()["llamafarm"]["session"] == {"id": "continues", "messages": 0, "dropped": 0}
    await say(here, "Two", "continues", stream=True, model="expert")
    third = await say(here, "Three", "continues")
    assert sent(here) == ["One", "Llamas eat hay.", "Two", "Llamas eat hay.", "Three"]
    assert third.json()["llamafarm"]["session"]["messages"] == 4


async def test_the_projects_prompts_stay_first(here: World) -> None:
    path = f"{PROMPTED}/chat/completions"
    await say(here, "One", "prompts", path)
    await say(here, "Two", "prompts", path)
    assert sent(here) == ["You are nice.", "One", "Llamas eat hay.", "Two"]


async def test_tool_calls_are_part_of_the_conversation(here: World) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    await here.ask(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "42"},
        ],
        headers={"X-Session-ID": "tools"},
    )
    await say(here, "And?", "tools")
    assert here.last.json()["messages"][1]["tool_calls"] == [call]
    assert here.last.json()["messages"][2]["tool_call_id"] == "c"


async def test_without_a_header_or_with_x_no_session_nothing_is_kept(here: World) -> None:
    await here.ask()
    await here.ask(headers={"X-Session-ID": "none", "X-No-Session": "1"})
    await say(here, "Two", "none")
    assert sent(here) == ["Two"]


async def test_projects_do_not_share_sessions(here: World) -> None:
    await say(here, "One", "shared")
    await say(here, "Two", "shared", f"{PROMPTED}/chat/completions")
    assert sent(here) == ["You are nice.", "Two"]


async def test_a_failed_answer_leaves_the_session_as_it_was(here: World) -> None:
    await say(here, "One", "fails")
    here.says(plays("openai", answer("openai", "Llamas ")[:1], then="cut"))
    assert (await say(here, "Two", "fails")).status_code == 502
    await say(here, "Three", "fails", stream=True)
    assert (await say(here, "Four", "fails", model="gone")).status_code == 502
    here.anew()
    await say(here, "Five", "fails")
    assert sent(here) == ["One", "Llamas eat hay.", "Five"]


async def test_a_session_that_is_answering_says_so(here: World) -> None:
    go = asyncio.Event()
    here.says(plays("openai", [said("openai", "Llamas"), go, *answer("openai", ".")]))
    here.upstream.arrived.clear()
    async with asyncio.timeout(20):
        first = asyncio.create_task(say(here, "One", "busy"))
        await here.upstream.arrived.wait()
        second = await say(here, "Two", "busy")
        go.set()
        assert (await first).status_code == 200
    assert (second.status_code, second.json()["error"]["code"]) == (409, "session_busy")
    assert second.headers["retry-after"] == "1"


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 129])
async def test_a_name_that_cannot_be_one_is_400(here: World, name: str) -> None:
    told = await here.client.post(
        CHAT, json={"messages": [{"role": "user", "content": "Hi"}]}, headers={b"X-Session-ID": name.encode()}
    )
    assert (told.status_code, told.json()["error"]["param"]) == (400, "X-Session-ID")


# --- bounds


async def test_an_hour_of_silence_is_forgotten() -> None:
    clock = Clock()
    kept = Conversations(clock)
    with kept.turn(key()) as conversation:
        conversation.add(turn())
        clock.now = 10.0
    clock.now += IDLE_S - 1
    with kept.turn(key()) as conversation:
        assert conversation.count == 2
    clock.now += IDLE_S
    with kept.turn(key()) as conversation:
        assert conversation.count == 0
    assert len(kept) == 0


async def test_the_oldest_turns_go_whole() -> None:
    kept = Conversations()
    with kept.turn(key()) as conversation:
        for number in range(MESSAGES):
            conversation.add(turn(str(number)))
    assert conversation.count == MESSAGES
    assert conversation.dropped == MESSAGES
    assert conversation.messages[0] == Message("user", str(MESSAGES // 2))


async def test_the_session_that_was_silent_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SESSIONS", 3)
    kept = Conversations()
    for name in ("a", "b", "c"):
        with kept.turn(key(name)) as conversation:
            conversation.add(turn())
    with kept.turn(key("a")), kept.turn(key("d")) as conversation:
        conversation.add(turn())
    found = {}
    for name in ("a", "b", "c", "d"):
        with kept.turn(key(name)) as conversation:
            found[name] = conversation.count
    assert found == {"a": 2, "b": 0, "c": 2, "d": 2}


async def test_all_text_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "ALL_CHARACTERS", 100)
    kept = Conversations()
    for name in ("a", "b", "c"):
        with kept.turn(key(name)) as conversation:
            conversation.add(turn("x" * 20))
    assert len(kept) == 2


async def test_a_turn_that_raises_keeps_nothing_and_is_over() -> None:
    kept = Conversations()
    with pytest.raises(RuntimeError), kept.turn(key()):
        raise RuntimeError
    with kept.turn(key()), pytest.raises(ApiError), kept.turn(key()):
        pass
    assert len(kept) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60), st.floats(0, IDLE_S)), max_size=40))
async def test_counts_always_match_what_is_kept(steps: list[tuple[str, int, float]]) -> None:
    clock = Clock()
    kept = Conversations(clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "ALL_CHARACTERS", 200)
        patch.setattr(sessions, "CHARACTERS", 100)
        patch.setattr(sessions, "SESSIONS", 2)
        for name, length, pause in steps:
            clock.now += pause
            with kept.turn(key(name)) as conversation:
                conversation.add(turn("x" * length))
            assert conversation.size == sum(len(message.content) for message in conversation.messages)
            assert kept._size == sum(each.size for each in kept._kept.values())
            assert len(kept) <= 2
            assert conversation.size <= 100 or len(conversation.turns) == 1
