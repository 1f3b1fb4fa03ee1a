"""What is kept of a browser tab, and for how long."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest

from llamafarm.config.model import Loaded
from llamafarm.engine.comparison import Comparison
from llamafarm.ui.gradio_workarounds.blocks import QuickBlocks
from llamafarm.ui.gradio_workarounds.states import TabState, TabStates
from llamafarm.ui.sessions import Session
from llamafarm.ui.tabs import QUIET_S, SPEAK_EVERY_S, Tabs


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def session() -> Session:
    return Session(Loaded(project=None))


def run_of(stopped: list[str]) -> Comparison:
    return cast(Comparison, SimpleNamespace(stop=lambda _lane=None: stopped.append("stopped")))


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def tabs(ended: list[str]) -> Tabs:
    return Tabs(most=3, quiet_s=100.0, now=Clock(), ends=[ended.append])


def later(tabs: Tabs, seconds: float) -> None:
    cast(Clock, tabs.now).now += seconds
    tabs.end_quiet()


def test_a_tab_that_has_gone_ends_some_minutes_later(tabs: Tabs, ended: list[str]) -> None:
    mine = tabs.put("a", session())
    later(tabs, 99)
    assert not ended
    assert not mine.closed
    later(tabs, 2)
    assert ended == ["a"]
    assert mine.closed
    assert tabs.get("a") is None


def test_a_tab_may_miss_some_of_its_words() -> None:
    assert QUIET_S >= 3 * SPEAK_EVERY_S


def test_a_tab_that_speaks_stays_although_it_does_nothing(tabs: Tabs, ended: list[str]) -> None:
    mine = tabs.put("a", session())
    for _ in range(10):
        later(tabs, 60)
        tabs.speak("a")
    assert tabs.get("a") is mine
    assert not ended


@pytest.mark.parametrize("what", ["runs", "sweep", "batch"])
def test_what_runs_keeps_its_tab_however_quiet(tabs: Tabs, ended: list[str], what: str) -> None:
    mine, stopped = tabs.put("a", session()), list[str]()
    running = run_of(stopped)
    setattr(mine, what, [running] if what == "runs" else running)
    later(tabs, 1_000_000)
    for number in range(5):
        tabs.put(str(number), session())
    assert tabs.get("a") is mine
    assert "a" not in ended
    assert not stopped
    setattr(mine, what, [] if what == "runs" else None)
    later(tabs, 1_000_000)
    assert "a" in ended


def test_the_oldest_idle_tab_makes_room(tabs: Tabs, ended: list[str]) -> None:
    for key in "abcd":
        tabs.put(key, session())
    assert ended == ["a"]
    tabs.get("b")
    tabs.put("e", session())
    assert ended == ["a", "c"]


def test_where_all_run_the_oldest_is_stopped_so_that_no_number_of_tabs_is_too_many(tabs: Tabs) -> None:
    stopped = list[str]()
    for key in "abcd":
        tabs.put(key, session()).runs.append(run_of(stopped))
    assert stopped == ["stopped"]
    assert tabs.get("a") is None
    assert tabs.get("b") is not None


def test_a_tab_that_only_asked_for_the_page_ends_too(tabs: Tabs, ended: list[str]) -> None:
    tabs.speak("a")
    later(tabs, 101)
    assert ended == ["a"]


def test_another_project_in_a_tab_keeps_what_its_history_shows(tabs: Tabs) -> None:
    old, new = session(), session()
    tabs.put("a", old)
    tabs.put("a", new)
    assert old.closed
    assert new.past is old.past


async def test_tabs_end_by_themselves_while_the_page_is_served(ended: list[str]) -> None:
    gone = asyncio.Event()
    tabs = Tabs(quiet_s=0.0, ends=[ended.append, lambda _: gone.set()])
    async with tabs.kept_short():
        tabs.speak("a")
        async with asyncio.timeout(10):
            await gone.wait()
    assert ended == ["a"]


# --- Gradio's states


@pytest.fixture
async def demo() -> gr.Blocks:
    blocks = QuickBlocks(analytics_enabled=False)
    with blocks:
        chosen, shown = gr.Dropdown(["one"], value="one"), gr.HTML()
        chosen.change(lambda value: value, [chosen], [chosen, shown])
    return blocks


def states(demo: gr.Blocks, tabs: Tabs) -> TabStates:
    held = TabStates(tabs)
    held.set_blocks(demo)
    return held


def listener(demo: gr.Blocks) -> Any:
    return next(iter(demo.fns.values()))


async def test_tabs_that_show_the_same_share_it(demo: gr.Blocks, tabs: Tabs) -> None:
    held = states(demo, tabs)
    for key in "ab":
        told = await demo.postprocess_data(
            listener(demo), [gr.Dropdown(["two"]), gr.HTML(key, visible=False)], held[key]
        )
        assert (told[1]["value"], told[1]["visible"]) == (key, False)
    chosen, shown = listener(demo).outputs
    assert held["a"][chosen._id] is held["b"][chosen._id]
    assert held["a"][chosen._id].choices == [("two", "two")]
    assert held["c"][chosen._id].choices == [("one", "one")]
    assert held["a"][shown._id] is held["b"][shown._id], "what is shown stays in the browser"


async def test_what_a_tab_was_told_is_what_it_may_choose(demo: gr.Blocks, tabs: Tabs) -> None:
    held = states(demo, tabs)
    await demo.postprocess_data(listener(demo), [gr.Dropdown(["two"]), gr.skip()], held["a"])
    assert await demo.preprocess_data(listener(demo), ["two"], held["a"]) == ["two"]
    with pytest.raises(gr.Error, match="not in the list of choices"):
        await demo.preprocess_data(listener(demo), ["three"], held["a"])


async def test_a_forgotten_tab_is_told_so_and_not_that_its_choice_is_wrong(demo: gr.Blocks, tabs: Tabs) -> None:
    held = states(demo, tabs)
    with pytest.raises(gr.Error, match="no longer knows this tab"):
        await demo.preprocess_data(listener(demo), ["two"], held["a"])


async def test_nothing_of_a_tab_outlives_it(demo: gr.Blocks, tabs: Tabs) -> None:
    held = states(demo, tabs)
    await demo.postprocess_data(listener(demo), [gr.Dropdown(["two"]), gr.skip()], held["a"])
    state = cast(TabState, held["a"])
    demo.queue()
    queue = demo._queue
    queue.pending_messages_per_session["a"] = asyncio.Queue()
    queue.pending_event_ids_session["a"] = {"event"}
    assert not state.fresh
    later(tabs, 101)
    assert "a" not in held
    assert "a" not in queue.pending_messages_per_session
    assert "a" not in queue.pending_event_ids_session
    forms = held._shared._forms
    del state
    gc.collect()
    assert not forms, "no other tab shows it"


async def test_a_state_holds_no_copy_of_the_page(demo: gr.Blocks, tabs: Tabs) -> None:
    held = states(demo, tabs)
    assert not list(held["a"].components)
    assert held["a"].blocks_config.fns is held["b"].blocks_config.fns
