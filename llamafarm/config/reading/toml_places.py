"""Where the values of a TOML file stand in its text; `tomllib` says first whether it is one."""

from __future__ import annotations

import re
import tomllib

from llamafarm.config.reading.places import Entries, Items, Place, Places, Scalar, Unplaceable
from llamafarm.config.reading.toml_keys import long_key_line

_BETWEEN = re.compile(r"(?:\s|#[^\n]*)*")
_STRING = re.compile(r"""(?:"{3}(?:[^\\]|\\[\s\S])*?"{3,5}|'{3}[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')""")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d[^\s,\]}#]*|[^\s,\]}#]+")


def toml_places(text: str) -> Places:
    """The places of all values in `text`. Raises Unplaceable where they can't be told."""
    if long_key_line(text):
        raise Unplaceable
    try:
        tomllib.loads(text)
        return _Reader(text).read()
    except (RecursionError, IndexError, tomllib.TOMLDecodeError):
        raise Unplaceable from None


class _Reader:
    """Walks through the text once. A table that is named again is the same table."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._root = Entries()
        self._places = Places([self._root])
        self._known: dict[tuple[int, str], Place] = {}

    def read(self) -> Places:
        """The places of the whole text."""
        table = self._root
        while self._skip() < len(self._text):
            if self._text[self._at] == "[":
                many = self._text.startswith("[[", self._at)
                self._at += 2 if many else 1
                keys = self._keys()
                self._expect("]]" if many else "]")
                table = self._table(keys, many=many)
            else:
                self._pair(table)
        return self._places

    def _skip(self) -> int:
        self._at = self._match(_BETWEEN).end()
        return self._at

    def _match(self, shape: re.Pattern[str]) -> re.Match[str]:
        found = shape.match(self._text, self._at)
        if found is None:
            raise Unplaceable
        return found

    def _expect(self, sign: str) -> None:
        self._skip()
        if not self._text.startswith(sign, self._at):
            raise Unplaceable
        self._at += len(sign)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                keys.append(self._string().value)
            else:
                found = self._match(_BARE_KEY)
                self._at = found.end()
                keys.append(found[0])
            self._skip()
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _pair(self, table: Entries) -> None:
        *inner, last = self._keys()
        self._expect("=")
        for key in inner:
            table = self._inside(table, key)
        self._put(table, last, self._value())

    def _table(self, keys: list[str], *, many: bool) -> Entries:
        """The table that a header names; of several under one name, the newest."""
        table = self._root
        for key in keys[:-1] if many else keys:
            table = self._inside(table, key)
        if not many:
            return table
        listed = self._known.get((id(table), keys[-1])) or self._put(table, keys[-1], Items())
        if not isinstance(listed, Items):
            raise Unplaceable
        new = Entries()
        listed.items.append(new)
        return new

    def _inside(self, table: Entries, key: str) -> Entries:
        found = self._known.get((id(table), key)) or self._put(table, key, Entries())
        if isinstance(found, Items):
            found = found.items[-1]
        if not isinstance(found, Entries):
            raise Unplaceable
        return found

    def _put(self, table: Entries, key: str, place: Place) -> Place:
        table.entries.append((key, place))
        self._known[id(table), key] = place
        return place

    def _value(self) -> Place:
        self._skip()
        match self._text[self._at]:
            case '"' | "'":
                return self._string()
            case "[":
                items, self._at = Items(), self._at + 1
                while self._more("]"):
                    items.items.append(self._value())
                return items
            case "{":
                entries, self._at = Entries(), self._at + 1
                while self._more("}"):
                    self._pair(entries)
                return entries
            case _:
                found = self._match(_BARE)
                self._at = found.end()
                return self._covered(Scalar(*found.span(), found[0]))

    def _more(self, end: str) -> bool:
        """Whether another value comes before `end`; steps over the comma, or over the end."""
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
        over = self._text[self._at] == end
        self._at += over
        return not over

    def _string(self) -> Scalar:
        found = self._match(_STRING)
        self._at = found.end()
        raw = found[0]
        mark = raw[:3] if raw[:3] in ('"""', "'''") else raw[0]
        plain = len(mark) == 1 and "\\" not in raw
        value = raw[1:-1] if plain else str(tomllib.loads(f"x = {raw}")["x"])
        return self._covered(Scalar(*found.span(), value, mark))

    def _covered(self, scalar: Scalar) -> Scalar:
        self._places.covered.append((scalar.start, scalar.end))
        return scalar
