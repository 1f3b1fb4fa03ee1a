"""JSON objects in lines of text: where each begins and ends, without reading what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llamafarm.providers.wire.lines import MAX_LINE, too_long

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')


def is_line(line: str) -> bool:
    """Whether `line` surely is one whole object; False where it takes a closer look to tell."""
    return (
        line.startswith("{")
        and line.endswith("}")
        and line.count("{") == line.count("}")
        and "}{" not in line
        and "} {" not in line
    )


def is_whole(text: str) -> bool:
    """Whether every bracket in `text` is closed."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
    return depth == 0


class Objects:
    """Takes lines and gives the text of each object that they complete; an array around objects does not count."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._depth = 0
        self._held = 0

    @property
    def open(self) -> bool:
        """Whether an object has begun and not ended."""
        return self._depth > 0

    def feed(self, line: str) -> Iterator[str]:
        """The objects that `line` completes. Raises BadAnswer where one has more than 16 MiB."""
        start = 0
        for token in _TOKEN.finditer(line):
            if token[0] == "{" or (token[0] == "[" and self._depth):
                if not self._depth:
                    start = token.start()
                self._depth += 1
            elif token[0] in "}]" and self._depth:
                self._depth -= 1
                if not self._depth:
                    self._keep(line[start : token.end()])
                    yield self.take()
        if self._depth:
            self._keep(line[start:])

    def take(self) -> str:
        """What has come of an object, which is then over."""
        text = "\n".join(self._pieces)
        self._pieces, self._depth, self._held = [], 0, 0
        return text

    def _keep(self, piece: str) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > MAX_LINE:
            raise too_long("a record")
