"""One way to shorten a text."""

from __future__ import annotations

import pytest

from llamafarm.core.characters import excerpt


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("hay", "hay"),
        ("four!", "four!"),
        ("longer", "long…"),
        ("a\n b\t", "a b"),
        ("\u2028a\x0bb\x85", "a b"),
        (" \n ", ""),
        ("🦙🦙🦙🦙🦙🦙", "🦙🦙🦙🦙…"),
    ],
)
def test_a_text_has_one_line_and_so_many_characters(text: str, expected: str) -> None:
    assert excerpt(text, 5) == expected
    assert len(excerpt(text, 5)) <= 5
