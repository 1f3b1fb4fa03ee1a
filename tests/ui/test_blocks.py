"""Outputs that a listener leaves alone cost nothing, and those that it changes come out as Gradio makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest
from gradio.helpers import skip

from llamafarm.ui.blocks import QuickBlocks


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
