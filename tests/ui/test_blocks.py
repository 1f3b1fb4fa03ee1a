"""Outputs that a listener leaves alone cost nothing, and those that it changes come out as Gradio makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
import orjson
import pytest
from gradio.helpers import skip

from llamafarm.ui.gradio_workarounds.blocks import QuickBlocks


def built(kind: type[gr.Blocks], answer: Callable[[list[Any]], Any], count: int = 4) -> tuple[gr.Blocks, Any]:
    with kind() as demo:
        texts = [gr.Markdown() for _ in range(count)]
        button = gr.Button("go")
        button.click(lambda: answer([*texts, button]), None, [*texts, button])
    return demo, demo.fns[next(iter(demo.fns))]


ANSWERS: dict[str, Callable[[list[Any]], Any]] = {
    "one": lambda parts: {parts[1]: "so"},
    "several": lambda parts: {parts[0]: "a", parts[2]: gr.Markdown(visible=False), parts[4]: gr.Button("on")},
    "a list": lambda _: ["a", skip(), "c", skip(), gr.update(interactive=False)],
    "nothing": lambda _: skip(),
    "none of them": lambda parts: [skip()] * len(parts),
}


@pytest.mark.parametrize("name", list(ANSWERS))
async def test_what_comes_out_is_the_same(name: str) -> None:
    told = []
    for kind in (gr.Blocks, QuickBlocks):
        demo, fn = built(kind, ANSWERS[name])
        told.append(await demo.postprocess_data(fn, ANSWERS[name](list(fn.outputs)), None))
    assert told[0] == told[1]


async def test_what_is_left_alone_is_not_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    demo, fn = built(QuickBlocks, ANSWERS["one"], count=50)
    made: list[object] = []
    real = gr.Markdown.__init__

    def counted(self: gr.Markdown, *args: Any, **options: Any) -> None:
        made.append(self)
        real(self, *args, **options)

    monkeypatch.setattr(gr.Markdown, "__init__", counted)
    await demo.postprocess_data(fn, {fn.outputs[0]: gr.Markdown(visible=False), fn.outputs[1]: "so"}, None)
    assert len(made) == 2  # the update that the test makes, and what Gradio makes of it


@pytest.mark.parametrize("kind", [gr.Blocks, QuickBlocks])
async def test_a_listener_without_outputs(kind: type[gr.Blocks]) -> None:
    with kind() as demo:
        gr.Button("go").click(lambda: None, None, None)
    assert await demo.postprocess_data(demo.fns[next(iter(demo.fns))], None, None) == []


def shown(value: Any, edits: list[Any]) -> Any:
    """`value` after `edits`, as Gradio's page makes them: in place."""
    for action, path, new in edits:
        if not path:
            value = new if action == "replace" else value + new
            continue
        place = value
        for key in path[:-1]:
            place = place[key]
        match action, place:
            case "append", _:
                place[path[-1]] += new
            case "add", list():
                place.insert(path[-1], new)
            case "delete", _:
                del place[path[-1]]
            case _:
                place[path[-1]] = new
    return value


STEPS: list[list[Any]] = [
    ["", skip(), gr.Radio(["a"], value=None).get_config()],
    ["so", {"__type__": "update", "choices": [["x", "0"], ["y", "1"]], "value": None}, skip()],
    ["so far", skip(), skip()],
    ["", {"__type__": "update", "choices": []}, {"__type__": "update", "interactive": False}],
    ["else", skip(), {"__type__": "update", "interactive": True}],
]


@pytest.mark.parametrize(("kind", "lost"), [(gr.Blocks, True), (QuickBlocks, False)])
async def test_what_a_message_said_stays_when_the_next_one_comes(kind: type[gr.Blocks], *, lost: bool) -> None:
    """Where Gradio itself loses nothing any more, this way of ours is no longer needed."""
    with kind() as demo:
        parts = [gr.HTML(), gr.Radio(), gr.Button()]
        gr.Button("go").click(lambda: None, None, parts)
    fn = demo.fns[next(iter(demo.fns))]
    arrived: list[list[Any]] = []
    for number, step in enumerate(STEPS):
        sent = demo.handle_streaming_diffs(fn, list(step), "tab", "run", final=False)
        sent = orjson.loads(orjson.dumps(sent))  # what travels is no object of the server's
        arrived.append(list(map(shown, arrived[-1], sent)) if number else sent)
    as_they_were = orjson.loads(orjson.dumps(STEPS))
    assert (arrived != as_they_were) is lost
    assert arrived[-1] == as_they_were[-1]
    assert demo.handle_streaming_diffs(fn, [None] * 3, "tab", "run", final=True) == STEPS[-1]
