"""Halves of characters: JSON may write one as two escapes, and servers cut text between them."""

from __future__ import annotations


def mended(text: str) -> str:
    """`text` with halves that stand together as one character, and U+FFFD for those that stand alone."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Halves:
    """Puts characters together whose halves come in two pieces of a text; `held` is a half that waits."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = ""

    def feed(self, text: str) -> str:
        """What is whole once `text` has come."""
        if text.isascii() and not self.held:
            return text
        text = self.held + text
        self.held = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return mended(text[: len(text) - len(self.held)])

    def end(self) -> str:
        """What is left of a half whose other never came."""
        held, self.held = self.held, ""
        return mended(held)
