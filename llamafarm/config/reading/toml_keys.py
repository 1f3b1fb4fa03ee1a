"""TOML keys of more parts than any file needs: the library takes minutes to read one."""

from __future__ import annotations

import re

from llamafarm.config.reading.yaml_tree import MAX_DEPTH

_LONG = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}", re.ASCII)


def long_key_line(text: str) -> int | None:
    """The line of the first key with more parts than a tree has levels; None where there is none."""
    found = _LONG.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else None
