"""Gradio's Blocks, without the work that it does for outputs which a listener leaves alone."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import Any

import gradio as gr
from gradio import utils
from gradio.block_function import BlockFunction
from gradio.blocks import convert_component_dict_to_list
from gradio.components import Component
from gradio.helpers import skip
from gradio.state_holder import SessionState

from llamafarm.ui.gradio_workarounds.states import TabState

# What the page's listeners are registered with: they are the page's own, and it shows itself what runs.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def leave_matplotlib_alone() -> None:
    """Let Gradio not set matplotlib's backend around each step of each listener: the page draws no plots.

    Where it is not installed, each of the two imports of a step searches the whole path, on the event loop.
    """
    vars(utils)["MatplotlibBackendMananger"] = nullcontext


class QuickBlocks(gr.Blocks):
    """Blocks whose listeners may have many outputs and change few of them.

    Gradio 6.31 builds a component anew for every output that is skipped, 0.5 ms each on the event loop: with twelve
    lanes that is 80 ms for each update of one of them, in which no token can be timed.
    """

    def show_progress_at(self, place: Component) -> None:
        """Let `place` alone know whether a listener that shows no progress is running.

        All outputs would be told otherwise, each after a walk through the page's tree: half a second of the browser's
        time at every step of a listener with three hundred outputs.
        """
        for listener in self.fns.values():
            if listener.show_progress == "hidden":
                listener.show_progress_on = [place]

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,  # noqa: FBT001, FBT002 - Gradio's signature
    ) -> list[Any]:
        """As Gradio's. What a forgotten tab sends may not fit the page's first state: then that is what is told."""
        try:
            values: list[Any] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except gr.Error:
            if isinstance(state, TabState) and state.fresh:
                raise forgotten() from None
            raise
        return values

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """As Gradio's, for the outputs that change; the others are passed over."""
        outputs = list(block_fn.outputs)
        if block_fn.batch or len(outputs) <= 1:
            return await self._told(block_fn, predictions, state)
        if _skipped(predictions):
            return [skip() for _ in outputs]
        given = convert_component_dict_to_list(outputs, predictions) if isinstance(predictions, dict) else predictions
        changed = [at for at, value in enumerate(given) if not _skipped(value)]
        told: list[Any] = [skip() for _ in outputs]
        if changed:
            part = copy.copy(block_fn)
            part.outputs = [outputs[at] for at in changed]
            values = [given[at] for at in changed]
            fresh = await self._told(part, values[0] if len(values) == 1 else values, state)
            for at, value in zip(changed, fresh, strict=True):
                told[at] = value
        return told

    def handle_streaming_diffs(
        self,
        block_fn: BlockFunction,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,  # noqa: FBT001 - Gradio's signature
        simple_format: bool = False,  # noqa: FBT001, FBT002 - the same
    ) -> list[Any]:
        """As Gradio's, but that an output which changes is told whole, unless its text only grew.

        Gradio's page makes an edit within a value in place, also where it has yet to show the message before: of a
        listener that tells two things at short intervals the first was lost now and then.
        """
        values = list(data)
        edited = not (final or simple_format or session_hash is None or run is None)
        edited = edited and run in self.pending_diff_streams[session_hash]
        told: list[Any] = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format)
        if not edited:
            return told
        return [_whole(edits, value) for edits, value in zip(told, values, strict=True)]

    async def _told(self, block_fn: BlockFunction, predictions: Any, state: SessionState | None) -> list[Any]:
        values: list[Any] = await super().postprocess_data(block_fn, predictions, state)
        return values


def forgotten() -> gr.Error:
    """What a tab is told that is no longer known."""
    return gr.Error(
        "The server no longer knows this tab: it was restarted, or heard nothing of the tab for some minutes. "
        "Load the page again; what was answered is in the history.",
        print_exception=False,
    )


def _skipped(value: object) -> bool:
    return isinstance(value, dict) and value == skip()


def _whole(edits: list[Any], value: Any) -> list[Any]:
    return [["replace", [], value]] if any(path for _, path, _ in edits) else edits
