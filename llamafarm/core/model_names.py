"""Whether two names mean one model: what servers add to the name that they were asked for. Pure.

They name its snapshot (`gpt-4o-2024-08-06`), tag (`llama3.2:latest`), revision (`@main`), owner or provider
(`openai/gpt-4o`, `us.anthropic.claude-…`), its file with folder and quantization (`/models/x-Q8_0.gguf`) or cache.
"""

from __future__ import annotations

import re

NO_NAME = ("", "unknown", "none", "null", "default")
_ENDING = re.compile(r"(-\d{5}-of-\d{5})?\.(gguf|ggml|bin|safetensors|llamafile)$")
_CACHED = re.compile(r"models--[^/]*?([^/]+?)/snapshots/[^/]*/?$")
_MARK = re.compile(
    r"[-_.:@ ](?:(?P<date>\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|\d{3})"
    r"|(?P<version>v\d+(?:\.\d+)*(?::\d+)?)"
    r"|(?P<weights>i?q\d\w*|b?f(?:p|loat)?\d{1,2}|[um]?int\d|(?:mx|nv)fp\d|\d{1,2}bit|awq|gptq|bnb|exl[23])"
    r"|(?P<form>gguf|ggml|mlx)"
    r"|(?P<tag>latest|preview|exp|experimental|stable|beta|free|nitro|floor|online|exacto|extended|main|master))$"
)
_BETWEEN = re.compile(r"[-_.:@ ]+")
_ANY = ("form", "tag")  # what says nothing of which model it is


def same_model(named: str, asked: str) -> bool:
    """Whether a server that names the model `named` means the model `asked`.

    One may leave out what the other says: owner, snapshot, quantization, tag; of a file's name all but its beginning.
    Where both say it, it is the same.
    """
    mine, theirs = _bare(asked), _bare(named)
    if mine == theirs or theirs in NO_NAME or mine in NO_NAME:
        return True
    (left, left_marks), (right, right_marks) = _parted(mine), _parted(theirs)
    if any(left_marks[kind] != right_marks[kind] for kind in left_marks.keys() & right_marks.keys()):
        return False
    short, long = sorted((left, right), key=len)
    if _letters(short) == _letters(long) or (short and long.endswith((f"_{short}", f".{short}"))):
        return True
    files = [part for part, whole in ((left, asked), (right, named)) if file_of(whole) != whole]
    return long in files and bool(short) and _BETWEEN.match(long[len(short) :]) is not None and long.startswith(short)


def file_of(name: str) -> str:
    """The name of a model file, without folder and ending; any other name as it is."""
    path = name.replace("\\", "/")
    found = _ENDING.search(path.lower())
    return path[: found.start()].rsplit("/", 1)[-1] if found else name


def _bare(name: str) -> str:
    """A name without what stands before it: folders, owners, providers."""
    path = file_of(name.strip()).replace("\\", "/").lower()
    cached = _CACHED.search(path)
    return cached[1].rsplit("--", 1)[-1] if cached else path.rstrip("/").rsplit("/", 1)[-1]


def _parted(name: str) -> tuple[str, dict[str, str]]:
    """A name without the marks behind it, and those that tell models apart, by their kind; a tag is any word."""
    marks: dict[str, str] = {}
    while found := _MARK.search(name):
        kind = found.lastgroup or ""
        name = name[: found.start()]
        if kind not in _ANY:
            marks.setdefault(kind, found[kind])
    base, colon, tag = name.partition(":")
    if colon and base:
        name, marks["label"] = base, tag
    return name, marks


def _letters(name: str) -> str:
    return _BETWEEN.sub("", name)
