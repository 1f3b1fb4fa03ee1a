"""Puts hidden secrets back into an edited project file, where they go to the same place as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from llamafarm.config.reading.places import Entries, Items, Place, Places, Scalar, Unplaceable
from llamafarm.config.secrets.mask import edited_text, places_of, quoted
from llamafarm.config.secrets.secret import HIDDEN, shown_address, shown_words

# What says who gets the secrets of an entry; `<<` may hold any of it.
RECEIVERS = ("provider", "base_url", "url", "transport", "command", "args", "<<")


def restored(edited: str, before: str, name: str) -> str:
    """`edited` with what is `(hidden)` in it as `before` has it, both read by the ending of `name`.

    A secret comes back at its own place alone, and only where its entry (found by its name) has the same provider,
    address and command as before: an edit must not send a key that nobody has seen to another place. What several
    places share by an alias does not come back.
    """
    if HIDDEN not in edited:
        return edited
    try:
        new, old = places_of(edited, name), places_of(before, name)
    except Unplaceable:
        return edited
    back = _Back(_shared(new))
    for ours, theirs in zip(new.roots, old.roots, strict=False):
        back.walk(ours, theirs)
    return edited_text(edited, back.edits)


@dataclass(slots=True)
class _Back:
    """Walks through both texts at once; `edits` are what comes back."""

    shared: set[int]
    edits: dict[int, tuple[int, str]] = field(default_factory=dict)

    def walk(self, new: Place, old: Place) -> None:
        todo = [(new, old)]
        while todo:
            ours, theirs = todo.pop()
            if id(ours) in self.shared:
                continue
            match ours, theirs:
                case Scalar(), Scalar() if _hides(ours.value, theirs.value):
                    self.edits[ours.start] = (ours.end, quoted(theirs.value))
                case Entries(), Entries() if _same_receiver(ours, theirs):
                    known = dict(theirs.entries)
                    todo += [(each, known[key]) for key, each in ours.entries if key in known]
                case Items(), Items():
                    todo += _pairs(ours, theirs)


def _pairs(ours: Items, theirs: Items) -> Iterator[tuple[Place, Place]]:
    """The items of two lists: those with a name by it, others by their place."""
    named = {name: each for each in theirs.items if (name := _name(each)) is not None}
    for at, each in enumerate(ours.items):
        name = _name(each)
        if name in named:
            yield each, named[name]
        elif name is None and at < len(theirs.items) and _name(theirs.items[at]) is None:
            yield each, theirs.items[at]


def _name(place: Place) -> str | None:
    name = dict(place.entries).get("name") if isinstance(place, Entries) else None
    return name.value if isinstance(name, Scalar) else None


def _same_receiver(ours: Entries, theirs: Entries) -> bool:
    new, old = dict(ours.entries), dict(theirs.entries)
    return all(_same(new.get(key), old.get(key)) for key in RECEIVERS)


def _same(ours: Place | None, theirs: Place | None) -> bool:
    match ours, theirs:
        case Scalar(), Scalar():
            return ours.value == theirs.value or _hides(ours.value, theirs.value)
        case Entries(), Entries():
            keys = [key for key, _ in ours.entries] == [key for key, _ in theirs.entries]
            pairs = zip(ours.entries, theirs.entries, strict=False)
            return keys and all(_same(new, old) for (_, new), (_, old) in pairs)
        case Items(), Items():
            pairs_of = zip(ours.items, theirs.items, strict=False)
            return len(ours.items) == len(theirs.items) and all(_same(new, old) for new, old in pairs_of)
        case _:
            return ours is theirs is None


def _hides(shown: str, value: str) -> bool:
    """Whether `shown` is `value` without its secrets."""
    return HIDDEN in shown and shown in (HIDDEN, shown_address(value), shown_words(value))


def _shared(places: Places) -> set[int]:
    """The places that an alias names too, and all that is in them."""
    reached, seen, todo = Counter[int](), set[int](), list[Place](places.roots)
    while todo:
        place = todo.pop()
        if id(place) not in seen:
            seen.add(id(place))
            inside = _inside(place)
            reached.update(map(id, inside))
            todo += inside
    return {place for place, times in reached.items() if times > 1}


def _inside(place: Place) -> list[Place]:
    match place:
        case Entries(entries=entries):
            return [each for _, each in entries]
        case Items(items=items):
            return items
        case _:
            return []
