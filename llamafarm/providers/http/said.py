"""Extracts the message of an error body, whatever form its server gives it. Pure.

The forms are those of OpenAI (`error.message`), FastAPI (`detail`: a text, a list of `loc` and `msg`, or an object),
RFC 9457 (`detail`, `title`), OAuth (`error_description`), Google (a list of errors), OpenRouter (`metadata.raw`), and
of proxies, which put one of them as text into another.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping

from llamafarm.core.types import JsonValue

DEEPEST = 8  # objects within texts within objects
MOST = 5  # errors of a list that are told
LARGEST = 20_000  # letters of a Python literal that are read
NESTS = ("error", "detail", "errors")  # what holds another body of its own
WORDS = ("message", "msg", "detail", "details", "error_description", "description", "error_message", "error", "errors",
         "title", "reason", "exception")  # fmt: skip
QUIET = frozenset(("input", "ctx", "url", "request", "headers", "body", "stack", "trace", "traceback"))  # not in words
_OPENS = re.compile(r"[{\[]")
_BROKEN = re.compile(r"""["'](?:message|msg|detail|error)["']\s*:\s*"((?:[^"\\]|\\.)*)"?""")


def words(body: JsonValue, depth: int = 0) -> str:
    """The words of `body` alone: no braces, names of fields or quotes around them; empty where it has none."""
    if depth > DEEPEST:
        return ""
    match body:
        case str():
            return _of_text(body, depth)
        case list():
            return "; ".join(filter(None, dict.fromkeys(words(each, depth + 1) for each in body[:MOST])))
        case dict():
            return _of_object(body, depth)
        case _:
            return ""


def objects(body: JsonValue, depth: int = 0) -> Iterator[Mapping[str, JsonValue]]:
    """Every object in `body`, also those that are written as text within it; the outermost first."""
    if depth > DEEPEST:
        return
    match body:
        case str():
            if (found := _inner(body)) is not None:
                yield from objects(found[1], depth + 1)
        case list():
            for each in body:
                yield from objects(each, depth + 1)
        case dict():
            yield body
            for each in body.values():
                yield from objects(each, depth + 1)


def _of_text(text: str, depth: int) -> str:
    found = _inner(text)
    if found is None:
        broken = _BROKEN.search(text) if text.lstrip().startswith(("{", "[")) else None
        return " ".join((broken[1] if broken else text).split())
    before, value, after = found
    said = words(value, depth + 1)
    if not said:
        return " ".join(text.split())
    before, after = before.rstrip(" b'\"\n").rstrip(), after.strip(" '\"\n.")
    if before and before[-1] not in ":-–,;(" and not before.endswith("."):
        before += ":"
    return " ".join(f"{before} {said} {after}".split())


def _inner(text: str) -> tuple[str, JsonValue, str] | None:
    """The first object or list of objects that is written in `text`, with what stands before and after it."""
    for start in (found.start() for found, _ in zip(_OPENS.finditer(text), range(DEEPEST), strict=False)):
        try:
            value, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = _literal(text[start:]), len(text)
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            return text[:start], value, text[end:]
    return None


def _literal(text: str) -> JsonValue:
    """An object as Python prints it, which some servers send; None for anything else."""
    text = text.strip()
    if len(text) > LARGEST or not text.endswith(("}", "]")):
        return None
    try:
        value: JsonValue = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value


def _of_object(body: Mapping[str, JsonValue], depth: int) -> str:
    for name in NESTS:  # an object or a list knows more than a text beside it
        if isinstance(body.get(name), dict | list) and (said := words(body[name], depth + 1)):
            return said
    for name in WORDS:
        if said := words(body.get(name), depth + 1):
            return f"{_place(body)}{said}{_behind(body, said, depth)}"
    told = (f"{name}: {said}" for name, each in body.items() if name not in QUIET and (said := _scalar(each, depth)))
    return "; ".join(told)


def _scalar(value: JsonValue, depth: int) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return words(value, depth + 1)


def _place(body: Mapping[str, JsonValue]) -> str:
    """The field that an error of validation is about: `body.temperature: `."""
    place = body.get("loc", body.get("field"))
    parts = place if isinstance(place, list | tuple) else [place]
    named = ".".join(str(part) for part in parts if isinstance(part, str | int) and not isinstance(part, bool))
    return f"{named}: " if named else ""


def _behind(body: Mapping[str, JsonValue], said: str, depth: int) -> str:
    """What the provider behind a gateway said itself."""
    metadata = body.get("metadata")
    raw = words(metadata.get("raw"), depth + 1) if isinstance(metadata, dict) else ""
    return f": {raw}" if raw and raw not in said else ""
