"""From the lab's controls to a grid, and what of them can't be one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llamafarm.core.errors import RequestError
from llamafarm.ui.lab.grid import Inputs
from tests.engine.fakes import model, project

CONTROLS = Inputs(
    "factual", "temperature", "", 5, 64, 4, fair=False, prompts="", checks="", judge="", rubric="", prompt="Why?",
    variables="",
)  # fmt: skip
MODELS = [model("m"), model("j")]
PROJECT = project(MODELS)


def test_a_task_gives_its_range_and_the_prompt_above_is_asked() -> None:
    grid = CONTROLS.grid(PROJECT, MODELS[:1])
    assert grid.values == (0.1, 0.2, 0.3)
    assert [prompt.text for prompt in grid.prompts] == ["Why?"]
    assert (grid.repeats, grid.parameters, grid.size) == (5, {"max_tokens": 64}, 15)


def test_everything_else_is_taken_as_it_stands() -> None:
    controls = replace(
        CONTROLS, parameter="top_k", values="1, 40,0.5, auto", prompts="One\n\nTwo", checks="json\ncontains:x",
        judge=" j ", rubric="Be kind.", max_tokens=None, variables="name=Ada",
    )  # fmt: skip
    grid = controls.grid(PROJECT, MODELS)
    assert grid.values == (1, 40, 0.5, "auto")
    assert [(prompt.text, len(prompt.checks), prompt.variables) for prompt in grid.prompts] == [
        ("One", 2, {"name": "Ada"}),
        ("Two", 2, {"name": "Ada"}),
    ]
    assert grid.judge
    assert (grid.judge.model.name, grid.judge.rubric, grid.parameters) == ("j", "Be kind.", {})


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"values": "", "task": ""}, "values"),
        ({"values": "", "parameter": "top_p"}, "values"),
        ({"values": "1,nan"}, "finite"),
        ({"repeats": 0}, "Repeats"),
        ({"repeats": 1.5}, "Repeats"),
        ({"repeats": float("inf")}, "Repeats"),
        ({"max_tokens": -1}, "Max tokens"),
        ({"prompt": " "}, "prompt"),
        ({"judge": "nobody"}, "nobody"),
        ({"checks": "python:x"}, "check"),
        ({"variables": "x"}, "variables"),
    ],
)
def test_controls_that_make_no_grid_are_told(changes: dict[str, object], word: str) -> None:
    controls = replace(CONTROLS, **changes)  # type: ignore[arg-type]  # as a browser may send them
    with pytest.raises(RequestError, match=word):
        controls.grid(PROJECT, MODELS)
    with pytest.raises(RequestError):
        CONTROLS.grid(PROJECT, [])


def test_calls_at_once_are_bounded() -> None:
    assert CONTROLS.calls_at_once == 4
    with pytest.raises(RequestError):
        _ = replace(CONTROLS, at_once=1000).calls_at_once


def test_prompts_may_be_json_lines_with_what_is_expected() -> None:
    text = '{"prompt": "Capital of France?", "expected": "Paris"}\n{"prompt": "{{x}}?"}'
    grid = replace(CONTROLS, prompts=text, variables="x=y").grid(PROJECT, MODELS[:1])
    assert [(prompt.text, len(prompt.checks)) for prompt in grid.prompts] == [("Capital of France?", 1), ("y?", 0)]
