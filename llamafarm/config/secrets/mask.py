"""A project file's text with the secrets that stand in it hidden: for pages, exports and stored records.

Secrets are found by their places in the text, never by what they say: a value that also stands elsewhere stays there,
and one that is written with escapes, over several lines or as a number is hidden as any other. Anchors, comments,
quotation marks and line numbers stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from llamafarm.config.reading.places import Entries, Items, Place, Places, Scalar, Unplaceable, json_places, yaml_places
from llamafarm.config.reading.toml_places import toml_places
from llamafarm.config.secrets.rough_mask import masked_comment, roughly_masked
from llamafarm.config.secrets.secret import (
    HIDDEN,
    announces_secret,
    holds_settings,
    is_literal,
    names_secret,
    shown_address,
    shown_words,
)

_NO_TEXT = re.compile(r"true|false|null|~|", re.IGNORECASE)
_WORDS = frozenset(("args", "arguments", "command", "cmd", "entrypoint"))
_ENDS = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"#[^\n]*")
_UNWRITABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")


def masked_text(text: str, name: str) -> str:
    """`text`, read by the ending of `name`, with every literal secret in it as `(hidden)`; `${…}` stays.

    A text that can't be read is masked by its words: rather too much than a key.
    """
    try:
        places = places_of(text, name)
    except Unplaceable:
        return roughly_masked(text)
    edits = {start: (end, new) for start, end, new in _edits(text, places, bare=_is_yaml(name))}
    return edited_text(text, edits)


def places_of(text: str, name: str) -> Places:
    """Where the values of a text stand. Raises Unplaceable."""
    match PurePath(name).suffix.lower():
        case ".json":
            return json_places(text)
        case ".toml":
            return toml_places(text)
        case _:
            return yaml_places(text)


def _is_yaml(name: str) -> bool:
    return PurePath(name).suffix.lower() not in (".json", ".toml")


def _edits(text: str, places: Places, *, bare: bool) -> Iterator[tuple[int, int, str]]:
    """(start, end, what stands there instead), in no order; `bare`: a word needs no quotation marks."""
    for found in _found(places):
        scalar, raw = found.scalar, text[found.scalar.start : found.scalar.end]
        if found.whole:
            yield scalar.start, scalar.end, _hidden(scalar, raw, bare=bare)
        elif (new := _shown(scalar, raw, words=found.words)) != raw:
            yield scalar.start, scalar.end, new
    for start, end in places.gaps(len(text)):
        for comment in _COMMENT.finditer(text, start, end):
            if (new := masked_comment(comment[0])) != comment[0]:
                yield *comment.span(), new


def edited_text(text: str, edits: dict[int, tuple[int, str]]) -> str:
    """`text` with `edits` in it: by where each begins, where it ends and what stands there then."""
    pieces, done = list[str](), 0
    for start in sorted(edits):
        end, new = edits[start]
        if start >= done:
            pieces += [text[done:start], new]
            done = end
    return "".join([*pieces, text[done:]])


# --- what is secret --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A scalar that is hidden as a `whole`, or that may hold an address, or `words` of a command."""

    scalar: Scalar
    whole: bool
    words: bool


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known of a place by the names above it: all of it is `secret`; it is a command's `words`; a `schema`."""

    secret: bool = False
    words: bool = False
    schema: bool = False


def _found(places: Places) -> Iterator[Found]:
    """Every scalar as it is reached, also through aliases; each place once for each thing that is known of it."""
    seen = set[tuple[int, _Around]]()
    todo = [(root, _Around()) for root in places.roots]
    while todo:
        place, around = todo.pop()
        if (id(place), around) in seen:
            continue
        seen.add((id(place), around))
        match place:
            case Scalar():
                yield Found(place, around.secret and _is_secret(place), around.words)
            case Entries():
                todo += _entries(place, around)
            case Items():
                todo += _items(place, around)


def _is_secret(scalar: Scalar) -> bool:
    return is_literal(scalar.value) and not (scalar.mark == "" and _NO_TEXT.fullmatch(scalar.value))


def _entries(place: Entries, around: _Around) -> Iterator[tuple[Place, _Around]]:
    named = any(key in ("name", "key") and isinstance(p, Scalar) and names_secret(p.value) for key, p in place.entries)
    for key, each in place.entries:
        if key == "<<":
            yield each, around
            continue
        scalar = isinstance(each, Scalar)
        secret = names_secret(key) and (scalar or not around.schema)  # a schema's property may be called so
        secret = secret or (holds_settings(key) and not scalar) or (named and key == "value")
        yield each, _Around(around.secret or secret, around.words or key in _WORDS, schema=key == "properties")


def _items(place: Items, around: _Around) -> Iterator[tuple[Place, _Around]]:
    before = ""
    for each in place.items:
        after = around.words and announces_secret(before)
        yield each, _Around(around.secret or after, around.words)
        before = each.value if isinstance(each, Scalar) else ""


# --- how it is shown -------------------------------------------------------------------------------


def _hidden(scalar: Scalar, raw: str, *, bare: bool) -> str:
    """What stands in a secret's place: quoted as it was, and of as many lines."""
    lines = "".join(_ENDS.findall(raw))
    match scalar.mark:
        case '"""' | "'''":
            return f"{scalar.mark}{HIDDEN}{lines}{scalar.mark}"
        case '"' | "'":
            return f"{scalar.mark}{HIDDEN}{scalar.mark}{lines}"
        case _:
            return f"{HIDDEN}{lines}" if bare else f'"{HIDDEN}"{lines}'


def _shown(scalar: Scalar, raw: str, *, words: bool) -> str:
    """A scalar that may hold an address, or words of a command; written anew where its escapes hide what it says."""
    show = shown_words if words else shown_address
    escaped = scalar.mark in ('"', "'", '"""') and scalar.value not in raw
    if not escaped:
        inner = len(scalar.mark) if scalar.mark and scalar.mark[0] in "\"'" else 0
        return raw[:inner] + show(raw[inner : len(raw) - inner]) + raw[len(raw) - inner :]
    shown = show(scalar.value)
    return raw if shown == scalar.value else quoted(shown)


def quoted(text: str) -> str:
    """`text` in quotation marks as YAML, JSON and TOML read them."""
    return _UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
