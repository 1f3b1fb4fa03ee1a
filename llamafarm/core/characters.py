r"""Characters that do something instead of being seen, and how they are written so that they do nothing. Pure.

Two questions, two sets. A terminal obeys control characters: what a person is told must not steer it. A person who
consents must see what they consent to: there everything counts that has no picture of its own.
Both write a character as `\u…`, as JSON does, so that JSON stays valid and keeps its meaning.
"""

from __future__ import annotations

import re
import unicodedata

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Unicode's property Bidi_Control, whole
# C0 without tab and line end, DEL, C1, the bidi controls, and halves of pairs, which no encoding has.
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_BIDI}\ud800-\udfff]")
_SPACES = re.compile("[ \t\r\n]+")
# What is seen as nothing, or as a blank, and is a letter, a mark or a sign by its category: fillers, joiners,
# selectors, the blank Braille cell and blanks other than the usual one.
_UNSEEN = re.compile(
    "[\u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200a\u202f\u205f\u2800\u3000\u3164"
    "\ufe00-\ufe0f\uffa0\ufffc\U000e0100-\U000e01ef]"
)
_WORD = re.compile(r"\w+")
_SIGNS = frozenset("∕⁄⧸╱‐‑‒–—―−˗։׃᛬∣ǀ˸⁚∖⧵∼")
_LATIN_LIKE = frozenset("ıɑɡɩʟʏᴀᴄᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜱ")
# Letters of Cyrillic, Greek and Armenian, and digits, of which whole Latin words can be made: after Unicode's
# confusables (https://www.unicode.org/reports/tr39/#Confusable_Detection).
_LATIN_LOOKING = frozenset("аеорсухіјѕһԁԛԝӏкмтвнАВЕКМНОРСТХУЅІЈԌԚԜαβγεικνορτυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧոսօցհզքԼՍՏ_0123456789")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def for_terminal(text: str) -> str:
    """`text` with what would steer a terminal as `\\u…`; blanks, joiners and all that is seen stay."""
    return _CONTROL.sub(_number, text.replace("\r\n", "\n")) if _CONTROL.search(text) else text


def for_consent(text: str) -> str:
    """`text` with everything that has no picture of its own as `\\u…`; line ends stay, tabs do not.

    So are controls, direction marks, joiners, tags, selectors, fillers, blanks that are not the usual one, line and
    paragraph separators, and what Unicode has not assigned. See `look_alikes` for letters that look like others.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char == "\n" or not hidden(char) else _numbered(char) for char in text)


def look_alikes(text: str) -> tuple[str, ...]:
    """Characters that pass for ASCII's in a command or an address, each once.

    Those are the letters of other scripts in a word with Latin ones, whole words of letters that look Latin, other
    forms of ASCII's characters (full width, mathematical), and signs that look like its own. A word that is plainly of
    another script is none.
    """
    if text.isascii():
        return ()
    found = dict.fromkeys(char for char in text if not char.isascii() and (char in _SIGNS or _is_a_form(char)))
    for word in _WORD.findall(text):
        other = [char for char in word if char.isalpha() and not char.isascii() and not _is_latin(char)]
        if other and ((len(other) < len(word) and any(map(_is_latin, word))) or set(word) <= _LATIN_LOOKING):
            found |= dict.fromkeys(other)
        found |= dict.fromkeys(char for char in word if char in _LATIN_LIKE)
    return tuple(found)


def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN")


def _is_a_form(char: str) -> bool:
    plain = unicodedata.normalize("NFKC", char)
    return plain != char and plain.isascii() and not hidden(char)


def hidden(char: str) -> bool:
    """Whether a character is not seen as itself."""
    return bool(_UNSEEN.match(char)) or unicodedata.category(char) in _HIDDEN


def one_line(text: str) -> str:
    """`text` on one line: blanks, tabs and line ends in a row are one blank; other characters stay."""
    return _SPACES.sub(" ", text).strip(" ")


def excerpt(text: str, longest: int) -> str:
    """The beginning of `text` on one line, `longest` characters at most: with … at its end where more comes."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _number(found: re.Match[str]) -> str:
    return _numbered(found[0])


def _numbered(char: str) -> str:
    """A character in JSON's way: beyond U+FFFF it is a pair."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
