"""What a model writes reaches the reader whole, as text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.ui.parts.markdown import LONGEST, Growing, shown
from llamafarm.ui.parts.markdown_html import COLOURED, words
from tests.ui.markdowns import CASES, PIECES, Read

writing = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=40).map("".join)
SAFE = frozenset(
    ("p", "br", "hr", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s", "a", "div",
     "table", "thead", "tbody", "tr", "th", "td")
)  # fmt: skip


def read(text: str) -> Read:
    """What is shown, code set aside: there the browser shows every letter."""
    found = Read()
    found.feed(re.sub(r"^(`{4,})(\w*)\n(.*?)(?:^\1$|\Z)", lambda code: words(code[3]), shown(text), flags=re.S | re.M))
    found.close()
    return found


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("std::vector<int> a", "<p>std::vector&lt;int&gt; a"),
        ("`List<int>` and List<int>", "<p><code>List&lt;int&gt;</code> and List&lt;int&gt;"),
        ("```c\na<b>\n```\n<b>", '<div class="lf-language">c</div>\n\n````c\na<b>\n````\n\n<p>&lt;b&gt;'),
        ("```ada\nx", '<div class="lf-language">ada</div>\n\n````\nx'),
        ("```\n````x\n```", "`````\n````x\n"),
        ("- ```\n  <i>\n  ```\n<i>", "<ul><li>\n\n````\n<i>\n````\n\n</li></ul>\n\n<p>&lt;i&gt;"),
        ("# a\n\n### b", "<h4>a</h4>\n\n<h6>b"),
        ("[x](y)", "<p>[x](y)"),
        ("[x]: http://y", '<p>[x]: <a href="http://y" target="_blank" rel="noopener noreferrer">http://y</a>'),
        ("a\nb", "<p>a<br>b"),
        ("3. x", '<ol start="3"><li><p>x'),
    ],
)
def test_known_cases(given_text: str, expected: str) -> None:
    assert shown(given_text) == expected


@pytest.mark.parametrize(
    ("given_text", "formulas"),
    [
        ("$x^2$", ["x^2"]), ("costs $5", []), ("$5 and $6", []), ("$5-$6", []), ("US$5 or 5$", []), ("$5 (or 5$)", []),
        ("$HOME/$USER", []), ("`$x$`", []), (r"\$x$", []), ("$ x $", []), ("$x$ and $y$.", ["x", "y"]), ("$5x$", ["5x"]),
        ("$$x$$", ["x"]), ("$$\na\n- b\n$$", ["a\n- b"]), ("$$\na\n\nb\n$$", []), (r"\(a_1\) b \[c\]", ["a_1", "c"]),
        ("\\[\nx\n\\]", ["x"]), ("$$5 is a lot", []), ("```\n$x$\n```", []), ("${a$", []), ("$a`b$`", []),
        ("| a |\n|---|\n| $x$ |", ["x"]), ("- $$\n  x\n  $$", ["x"]), ("$a$b", []),
    ],
)  # fmt: skip
def test_formulas_are_told_from_money(given_text: str, formulas: list[str]) -> None:
    found = re.findall("[\ufdd0\ufdd2](.*?)[\ufdd1\ufdd3]", shown(given_text) + "\ufdd1")
    assert [each.replace("&#10;", "\n") for each in found] == formulas


@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_only_what_markdown_knows_becomes_an_element(text: str) -> None:
    assert set(read(text).tags) <= SAFE


@given(writing)
def test_of_random_text_nothing_else_becomes_an_element(text: str) -> None:
    assert set(read(text).tags) <= SAFE


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.integers(0, 999).map("w{}w".format)), max_size=40).map("".join))
def test_no_word_is_lost(text: str) -> None:
    for word in re.findall(r"w\d+w", text):
        assert word in shown(text)


@given(writing)
def test_outside_code_nothing_is_left_to_read_in_two_ways(text: str) -> None:
    """Every line is a block's HTML, code between its marks, or empty."""
    mark = ""
    for line in shown(text).split("\n"):
        if mark:
            mark = "" if line == mark else mark
        elif opened := re.fullmatch(r"(`{4,})(\w*)", line):
            mark = opened[1]
            assert not opened[2] or opened[2] in COLOURED
        else:
            assert line == "" or re.match(r"</?(p|h[4-6]|ul|ol|li|hr|blockquote|div|table|thead|tbody|tr)\b", line)


@given(writing, st.lists(st.integers(1, 30), max_size=60))
def test_an_answer_that_comes_in_pieces_is_shown_as_one_that_is_whole(text: str, cuts: list[int]) -> None:
    growing, at = Growing(), 0
    for step in cuts:
        at += step
        growing.of(text[:at], ended=False)
    assert growing.of(text, ended=True) == shown(text)


def test_what_comes_is_added_to_what_was_sent() -> None:
    text = "# Title\n\nSome words, and more.\n\n- one\n- two\n  ```python\n  x = 1\n  y = 2\n  ```\n- three\n\n| a |\n|---|\n| 1 |\n\nend"
    growing, last, anew = Growing(), "", 0
    for at in range(len(text)):
        now = growing.of(text[: at + 1], ended=False)
        anew += not now.startswith(last)
        last = now
    assert anew < 20  # where a mark begins, and where a table turns out to be one


def test_an_answer_that_is_replaced_is_shown_anew() -> None:
    growing = Growing()
    growing.of("# first\n\nwords\n\nmore\n\n", ended=True)
    assert growing.of("second", ended=True) == shown("second")


@pytest.mark.parametrize(
    "piece",
    ["[", "*a ", "`", "``` \n", "![a](", "<", "$a ", "\\(", "_a", "- a\n", "> ", "|a", "~~a ", "&", "a\n\n", "x\n"],
)
def test_long_answers_take_bounded_time(piece: str) -> None:
    long = piece * 200_000
    began = time.process_time()
    assert len(shown(long)) >= 100_000
    assert time.process_time() - began < 9  # a third of that on a slow machine


def test_what_is_too_long_for_markdown_is_plain_text() -> None:
    text = "- **a** <b>\n" * 20_000
    assert shown(text).count("&lt;b&gt;") == 20_000
    assert '<div class="lf-plain">- **a** &lt;b&gt;&#10;' in shown(text)


def test_a_text_of_megabytes_is_shown_as_far_as_a_page_can() -> None:
    text = "hay and more\n" * 600_000
    told = shown(text)
    assert len(told) < 2_000_000
    assert f"and {len(text) - LONGEST:,} characters more" in told
