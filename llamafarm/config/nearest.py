"""What a person may have meant by a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from llamafarm.config.reading.document import listed

LONGEST_NAME, MOST_KNOWN = 100, 300  # what is compared at all: it takes a while for each pair
CUTOFF = 0.75  # of difflib's ratio: below it names are merely alike


def nearest(name: str, known: Collection[str]) -> str | None:
    """The one of `known` that `name` is a slip of; None where none is near."""
    if len(name) > LONGEST_NAME or len(known) > MOST_KNOWN:
        return None
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lower, 1, CUTOFF)
    return lower[near[0]] if near else None


def there_are(name: str, known: Collection[str]) -> str:
    """The end of a sentence about `name`: what may have been meant, or what there is."""
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else f"the file has: {listed(sorted(known))}."
