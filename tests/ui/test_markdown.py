"""What a model writes reaches the reader whole, as text."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.ui.markdown import safe

SNIPPETS = ("<b>", "</think>", "`", "``", "```\n", "~~~\n", "\n", "![a](http://x/y.png)", "![", "](", "[x]: http://x\n",
            "    ", "- ", "> ", "1. ", "<", ">", "\\", "&lt;", "std::vector<int>", " words ")  # fmt: skip
writing = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=6)), max_size=25).map("".join)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("std::vector<int> a", "std::vector&lt;int> a"),
        ("`List<int>` and List<int>", "`List<int>` and List&lt;int>"),
        ("```c\na<b>\n```\n<b>", "```c\na<b>\n```\n&lt;b>"),
        ("![alt](http://x/y.png)", r"\![alt](http://x/y.png)"),
        ("[1]: http://x", r"\[1]: http://x"),
        ("a < b and b > a", "a &lt; b and b > a"),
        ("plain **bold**", "plain **bold**"),
        ("- ```\n  <i>\n  ```\n<i>", "- ```\n  <i>\n  ```\n&lt;i>"),
    ],
)
def test_known_cases(given_text: str, shown: str) -> None:
    assert safe(given_text) == shown


@given(writing)
def test_no_character_is_lost(text: str) -> None:
    assert re.sub(r"\\(?=!\[|\[)", "", unescape(safe(text))).count("<") == unescape(text).count("<")
    for word in re.findall(r"\w+", text):
        assert word in safe(text)


@given(writing)
def test_outside_code_there_is_no_tag(text: str) -> None:
    bare = text.replace("`", "").replace("~", "")
    assert "<" not in safe(bare)
    assert "![" not in re.sub(r"\\!\[", "", safe(bare))


@given(st.sampled_from(SNIPPETS), st.integers(1, 3))
def test_long_answers_take_linear_time(snippet: str, spaces: int) -> None:
    text = (snippet + " " * spaces) * 20_000
    assert len(safe(text)) >= len(text)
