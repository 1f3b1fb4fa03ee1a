"""Where the values of a file stand in its text: a tree of places beside the tree of values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOM = "\ufeff"
_TOKEN = re.compile(r'\s*(?:([\[\]{},:])|("(?:[^"\\]|\\.)*")|([^\s\[\]{},:"]+))', re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A value from `start` to before `end` of the text, its anchor and tag left out.

    `value` is what it says, `mark` what it is quoted with: a quotation mark, three of them, `|`, `>` or nothing.
    """

    start: int
    end: int
    value: str
    mark: str = ""


@dataclass(slots=True, eq=False)
class Entries:
    """A mapping: each key with its value, in the order of the text; a key that stands twice is there twice."""

    entries: list[tuple[str, Place]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Items:
    """A list."""

    items: list[Place] = field(default_factory=list)


Place: TypeAlias = Scalar | Entries | Items


@dataclass(slots=True)
class Places:
    """The places of a text. `roots` are its documents, `covered` the stretches that are keys and scalars, in order."""

    roots: list[Place] = field(default_factory=list)
    covered: list[tuple[int, int]] = field(default_factory=list)

    def gaps(self, length: int) -> Iterator[tuple[int, int]]:
        """The stretches between: signs, white space and comments."""
        done = 0
        for start, end in self.covered:
            if start > done:
                yield done, start
            done = max(done, end)
        yield done, length


class Unplaceable(Exception):
    """The places of a text can't be told for sure."""


# --- building --------------------------------------------------------------------------------------


class Builder:
    """Puts places together as they come; what an alias names is shared."""

    def __init__(self) -> None:
        self.places = Places()
        self._open: list[Entries | Items] = []
        self._keys: list[str | None] = []

    @property
    def wants_key(self) -> bool:
        """Whether a key comes next."""
        return bool(self._open) and isinstance(self._open[-1], Entries) and self._keys[-1] is None

    def push(self, place: Entries | Items) -> None:
        """A mapping or list begins; one that is a key counts as a value without a key."""
        if self.wants_key:
            self._keys[-1] = ""
            self.add(place)
            self._keys[-1] = None
        else:
            self.add(place)
        self._open.append(place)
        self._keys.append(None)

    def pop(self) -> None:
        """It ends."""
        if not self._open:
            raise Unplaceable
        self._open.pop()
        self._keys.pop()

    def scalar(self, scalar: Scalar) -> None:
        """A key or a value."""
        if scalar.end > scalar.start:
            self.places.covered.append((scalar.start, scalar.end))
        if self.wants_key:
            self._keys[-1] = scalar.value
        else:
            self.add(scalar)

    def add(self, place: Place) -> None:
        """A value."""
        if not self._open:
            self.places.roots.append(place)
            return
        match self._open[-1]:
            case Items(items=items):
                items.append(place)
            case Entries(entries=entries):
                entries.append((self._keys[-1] or "", place))
                self._keys[-1] = None


# --- YAML ------------------------------------------------------------------------------------------


def yaml_places(text: str) -> Places:
    """The places of all documents of a YAML text. Raises Unplaceable where it can't be read to its end."""
    shift = 1 if text.startswith(_BOM) else 0
    if _BOM in text[shift:]:
        raise Unplaceable
    try:
        return _from_events(text, shift)
    except yaml.YAMLError:
        raise Unplaceable from None


def _from_events(text: str, shift: int) -> Places:
    """libyaml counts characters, but for the mark at the beginning of a file."""
    builder, anchors = Builder(), dict[str, Place]()
    starts: dict[int, int] | None = None
    for event in yaml.parse(text, Loader=_LOADER):
        match event:
            case yaml.ScalarEvent():
                start, end = _index(event.start_mark), _index(event.end_mark)
                if event.anchor or event.tag:  # the event begins with those
                    starts = _scalar_starts(text) if starts is None else starts
                    start = starts.get(end, end)
                scalar = Scalar(start + shift, end + shift, event.value, event.style or "")
                _remember(anchors, event.anchor, scalar)
                builder.scalar(scalar)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                opened = Entries() if isinstance(event, yaml.MappingStartEvent) else Items()
                _remember(anchors, event.anchor, opened)
                builder.push(opened)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                builder.pop()
            case yaml.AliasEvent():
                _alias(builder, anchors.get(event.anchor or ""))
            case yaml.DocumentStartEvent():
                anchors.clear()
    return builder.places


def _remember(anchors: dict[str, Place], name: str | None, place: Place) -> None:
    if name:
        anchors[name] = place


def _alias(builder: Builder, place: Place | None) -> None:
    if place is None:
        raise Unplaceable
    if builder.wants_key and isinstance(place, Scalar):
        builder.scalar(Scalar(0, 0, place.value))
    elif builder.wants_key:
        raise Unplaceable
    else:
        builder.add(place)


def _scalar_starts(text: str) -> dict[int, int]:
    """Where each scalar's own text begins, by where it ends."""
    tokens = yaml.scan(text, Loader=_LOADER)
    return {_index(token.end_mark): _index(token.start_mark) for token in tokens if isinstance(token, yaml.ScalarToken)}


def _index(mark: Any) -> int:
    """Where a mark stands; typeshed has marks that may be None, which libyaml's never are."""
    return int(mark.index)


# --- JSON ------------------------------------------------------------------------------------------


def json_places(text: str) -> Places:
    """The places of a text that is JSON. Raises Unplaceable where it is not."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise Unplaceable from None
    builder, at, end = Builder(), 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unplaceable
        at = found.end()
        sign, quoted, bare = found.groups()
        if quoted:
            builder.scalar(Scalar(*found.span(2), json.loads(quoted, strict=False), '"'))
        elif bare:
            builder.scalar(Scalar(*found.span(3), bare))
        elif sign in "{[":
            builder.push(Entries() if sign == "{" else Items())
        elif sign in "}]":
            builder.pop()
    return builder.places
