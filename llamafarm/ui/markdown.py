"""A model's Markdown made safe and whole for the browser. Pure.

The page's Markdown view takes HTML and drops what it does not allow, and with `std::vector<int>` the rest of
the paragraph. So everything that could be HTML is escaped here; only in code, where the browser shows it as it
is, it stays. Where this and the browser differ on what is code, an entity becomes visible: no text is lost.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator

_FENCE = re.compile(r"^(?P<lead>[ \t]*(?:>[ \t]?|[-*+][ \t]+|[0-9]{1,9}[.)][ \t]+)*)(?P<mark>`{3,}|~{3,})(?P<info>.*)$")
_RUN = re.compile(r"`+")
_IMAGE_WITHOUT_TEXT = re.compile(r"!\[\s*\]\(\s*([^)\s]*)")
_DEFINITION = re.compile(r"^([ \t>]*)\[(?=[^\]]+\]:)")
DEEP = 4  # spaces; from here on a fence belongs to a list, or is no fence


def safe(text: str) -> str:
    """`text` as Markdown that shows every word, runs nothing and fetches nothing.

    HTML shows as text, images as links, and definitions of links and footnotes, which Markdown hides, as
    they are written. Works on an answer that is still coming; takes time linear in its length.
    """
    if "<" not in text and "![" not in text and "]:" not in text:
        return text
    return "\n".join(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    mark, indent = "", 0
    for line in lines:
        found = _FENCE.match(line)
        if mark and (line.strip() == "" or indent < DEEP or _indent(line) >= indent):
            mark = "" if _closes(line, mark) else mark
            yield line
            continue
        mark = ""
        if found and not ("`" in found["mark"] and "`" in found["info"]):
            mark, indent = found["mark"], _indent(line)
            yield line
            continue
        yield _prose(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _closes(line: str, mark: str) -> bool:
    rest = line.lstrip(" \t>").rstrip()
    return len(rest) >= len(mark) and set(rest) == {mark[0]}


def _prose(line: str) -> str:
    """One line outside code blocks: its code spans stay, the rest is escaped."""
    if "<" not in line and "[" not in line:
        return line
    parts: list[str] = []
    at = 0
    for start, end in _spans(line):
        parts += [_escape(line[at:start]), line[start:end]]
        at = end
    parts.append(_escape(line[at:]))
    return _DEFINITION.sub(r"\1\\[", "".join(parts))


def _spans(line: str) -> Iterator[tuple[int, int]]:
    """The code spans of a line: from a run of backticks to the next run of the same length."""
    runs = [(found.start(), found.end()) for found in _RUN.finditer(line)]
    later: defaultdict[int, deque[int]] = defaultdict(deque)
    for index, (start, end) in enumerate(runs):
        later[end - start].append(index)
    index = 0
    while index < len(runs):
        start, end = runs[index]
        same = later[end - start]
        while same and same[0] <= index:
            same.popleft()
        if same and line[start - 1 : start] != "\\":
            close = same.popleft()
            yield start, runs[close][1]
            index = close
        index += 1


def _escape(text: str) -> str:
    text = _IMAGE_WITHOUT_TEXT.sub(r"![\1](\1", text)
    return text.replace("<", "&lt;").replace("![", r"\![")
