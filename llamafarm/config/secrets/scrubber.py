"""Takes known secrets out of what a server says, in whatever form it says them. Pure.

A secret is looked for as it is, with the escapes of JSON, HTML and addresses, in base64 (at each of the three places
where it may begin among other text) and in hexadecimal. Secrets of fewer than 8 letters, and placeholders such as
`lemonade`, are left alone: they are no secrets, and answers would be torn apart.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from llamafarm.config.secrets.secret import HIDDEN, PLACEHOLDERS, without_scheme

SHORTEST = 8
STEM = 3  # letters that a form begins with; fewer are not held back
ODD = "surrogatepass"  # what JSON may hold and no text should
_NEVER = re.compile(r"(?!)")


class Scrubber:
    """Takes `secrets` out of texts. `suspects` tells whether one may begin in a text, `found` finds those in it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        plain = {without_scheme(secret) for secret in secrets} - {""}
        self._given = bool(plain)
        wanted = {secret for secret in plain if len(secret) >= SHORTEST and secret.lower() not in PLACEHOLDERS}
        self._forms = sorted(
            {form for secret in wanted for form in _forms(secret)}, key=lambda form: (-len(form), form)
        )
        self._longest = len(self._forms[0]) if self._forms else 0
        self._whole = _any_of(self._forms)
        self._stems = _any_of(sorted({form[:STEM] for form in self._forms}))
        self.suspects = self._stems.search
        self.found = self._whole.finditer

    def __bool__(self) -> bool:
        """Whether there are secrets at all, also such as are left alone in answers."""
        return self._given

    def clean(self, text: str) -> str:
        """`text` with `(hidden)` in the place of every secret."""
        return self._whole.sub(HIDDEN, text) if self.suspects(text) else text

    def begun(self, text: str) -> int:
        """Where at the end of `text` a secret may have begun that is not yet whole; its length where none has."""
        for at in range(max(len(text) - self._longest + 1, 0), len(text) - STEM + 1):
            if self._stems.match(text, at):
                rest = text[at:]
                if any(form.startswith(rest) and form != rest for form in self._forms):
                    return at
        return len(text)


class ScrubbedText:
    """A text that comes in pieces. What may be the beginning of a secret is held back until that is decided."""

    __slots__ = ("_at", "_before", "_held", "_scrubber")

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._before = ""  # the last letters that were told: a secret may have begun with them
        self._held = ""
        self._at = 0.0

    def passes(self, text: str) -> bool:
        """Whether `text` is told as it is, and nothing is held back: then there is nothing to feed."""
        seen = self._before + text
        if self._held or self._scrubber.suspects(seen):
            return False
        self._before = seen[1 - STEM :]
        return True

    def feed(self, text: str, at: float) -> Iterator[tuple[str, float]]:
        """What can be told once `text` has come at the instant `at`, each piece with the instant when it came."""
        seen, told, since = self._before + self._held + text, len(self._before), 0
        fresh = told + len(self._held)  # from here on it came now
        until = max(self._scrubber.begun(seen), told)
        pieces = list[tuple[str, int]]()
        for found in self._scrubber.found(seen):
            if found.start() >= until:
                break
            pieces += [(seen[told : found.start()], told), (HIDDEN, max(found.start(), told))]
            told = since = found.end()
            until = max(until, told)
        middle = min(max(fresh, told), until)
        pieces += [(seen[told:middle], told), (seen[middle:until], middle)]
        for piece, start in pieces:
            if piece:
                yield piece, (self._at if start < fresh else at)
        if until >= fresh:
            self._at = at
        self._held = seen[until:]
        self._before = seen[since:until][1 - STEM :]

    def end(self) -> Iterator[tuple[str, float]]:
        """What was held back; a secret that was cut off is none the less hidden."""
        held, self._held, self._before = self._held, "", ""
        if held:
            yield (self._scrubber.clean(held) if len(held) < SHORTEST else HIDDEN), self._at


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    shapes = [re.escape(text) for text in texts]
    return re.compile("|".join(shapes)) if shapes else _NEVER


def _forms(secret: str) -> Iterator[str]:
    address = quote(secret, safe="", errors=ODD)
    yield secret
    yield from (address, quote_plus(secret, errors=ODD), quote(secret, errors=ODD), html.escape(secret))
    yield re.sub("%..", lambda found: found[0].lower(), address)
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    data = secret.encode("utf-8", ODD)
    yield from (data.hex(), data.hex().upper())
    for offset in range(3):  # bytes before it in the same group of three
        whole = b64encode(bytes(offset) + data).decode()
        sure = whole[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]
        if len(sure) >= SHORTEST:
            yield from (sure, sure.replace("+", "-").replace("/", "_"))
