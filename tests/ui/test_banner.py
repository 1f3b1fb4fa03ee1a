"""The banner of the main area: what stands in the way, also of a file that can't be read."""

from __future__ import annotations

from html import escape

import pytest

from llamafarm.config import parse
from llamafarm.core.errors import Problem
from llamafarm.ui.parts.shell import banner
from llamafarm.ui.project.file_cards import BROKEN_EDIT

GOOD = "version: v1\nruntime: {models: [{name: a, provider: ollama, model: m}]}\n"


def told(text: str, broken: tuple[Problem, ...] = ()) -> str:
    loaded = parse(text, name="mine.yaml", trusted=True, environ={})
    shown = loaded.project.models if loaded.project else ()
    return banner(loaded, "mine.yaml", shown, (), broken=broken)


@pytest.mark.parametrize("text", ["a: [\n", "- a\n", "", "version: v9\nruntime: {models: []}\n", "\tx: 1\n"])
def test_a_file_that_can_not_be_used_is_told_in_the_main_area(text: str) -> None:
    assert escape("mine.yaml can't be used.") in told(text)
    assert "Open the project" in told(text)


def test_a_broken_edit_is_told_with_its_first_problem() -> None:
    said = told(GOOD, (Problem(7, "runtime", "It <ends> too early."),))
    assert escape(BROKEN_EDIT) in said
    assert "It &lt;ends&gt; too early." in said


def test_nothing_is_told_where_nothing_stands_in_the_way() -> None:
    assert told(GOOD) == ""
