"""Characters that are not seen: gone from terminals where they steer, told where a person consents."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.characters import for_consent, for_terminal, look_alikes, one_line

STAY = (
    "tab\t line\n NBSP\u00a0 wide\u3000 Persian\u200c join\u200d 👩\u200d🌾 new \U0001faea \u2028 é ß 中 \ufe0f \u00ad"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "\\u001b]52;c;aGk=\\u0007"),
        ("\x9b31m", "\\u009b31m"),
        ("a\x7fb\x00", "a\\u007fb\\u0000"),
        ("abc\rxyz", "abc\\u000dxyz"),
        ("one\r\ntwo", "one\ntwo"),
        ("\u202egnp.exe\u202c", "\\u202egnp.exe\\u202c"),
        ("\u2066a\u2069\u200f\u200e\u061c", "\\u2066a\\u2069\\u200f\\u200e\\u061c"),
        ("\ud83d alone", "\\ud83d alone"),
        (STAY, STAY),
    ],
)
def test_only_what_steers_goes(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@given(st.text())
def test_json_stays_the_same_json(text: str) -> None:
    assert json.loads(for_terminal(json.dumps({text: [text]}, ensure_ascii=False))) == {text: [text]}
    assert json.loads(for_consent(json.dumps({text: [text]}, ensure_ascii=False))) == {text: [text]}


@pytest.mark.parametrize(
    "char",
    ["\u202e", "\u2066", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\U000e0041", "\u2028", "\u2029", "\x85", "\x1b", "\t", "\r",
     "\u00a0", "\u3000", "\u2003", "\u202f", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\U000e0100", "\u034f", "\u180e", "\ue000",
     "\ufdd0", "\ud800", "\U0010ffff", "\u1680", "\u206a", "\ufffc", "\U0001d173"],
)  # fmt: skip
def test_what_has_no_picture_is_told_where_a_person_consents(char: str) -> None:
    shown = for_consent(f"rm{char}-rf")
    assert shown.isascii()
    assert json.loads(f'"{shown}"') == f"rm{char}-rf"


def test_what_is_seen_stays_where_a_person_consents() -> None:
    text = "grüße 中文 עברית 👩 e\u0301 – “x” \\u0041\nline"
    assert for_consent(text) == text


@given(st.text())
def test_what_consent_shows_has_a_picture(text: str) -> None:
    assert {unicodedata.category(char) for char in for_consent(text) if char != "\n"} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    } == set()


def test_one_line_keeps_other_blanks() -> None:
    assert one_line(" a\u00a0b \t\r\n c\u3000 ") == "a\u00a0b c\u3000"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("b\u0430sh -c ls", "\u0430"),
        ("\u0441url http://example.com", "\u0441"),
        ("https://\u0440\u0430\u0443\u0440\u0430l.com", "\u0440\u0430\u0443"),
        ("\u0440\u0443", "\u0440\u0443"),
        ("n\u03bfde server.js", "\u03bf"),
        ("\u057d\u057d\u0570", "\u057d\u0570"),
        ("rm \u2013rf x", "\u2013"),
        ("https://good.com\u2215.evil.com", "\u2215"),
        ("\uff42\uff41sh", "\uff42\uff41"),
        ("\U0001d41bash", "\U0001d41b"),
        ("np\u0131x", "\u0131"),
    ],
)
def test_characters_that_pass_for_others_in_a_command_are_found(text: str, found: str) -> None:
    assert "".join(look_alikes(text)) == found


@pytest.mark.parametrize("text", ["npx -y @scope/server", "/home/J\u00fcrgen/caf\u00e9", "cat \u0414\u043e\u043a\u0443\u043c\u0435\u043d\u0442\u044b",
                                  "\u4e2d\u6587 \U0001f469", "\u05e2\u05d1\u05e8\u05d9\u05ea", ""])  # fmt: skip
def test_words_that_are_plainly_of_a_script_are_none(text: str) -> None:
    assert look_alikes(text) == ()
