"""Masks secrets in comments and in text that can't be parsed, by the words around them; rather too much."""

from __future__ import annotations

import re
from collections.abc import Iterator

from llamafarm.config.secrets.secret import HIDDEN, holds_settings, is_literal, names_secret, shown_words

_NAMED = re.compile(r"(?<![\w.\\-])([A-Za-z$][\w.\\-]*)[\"']?\s*[:=]")
_COMMENTED = re.compile(r"(?<![\w.-])([A-Za-z][\w.-]*)([\"']?\s*[:=]\s*)(\S.*)")
_LONG = re.compile(r"[\w+/=.~$-]{16,}")
_KEYLIKE = re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai|ghp|gho|github_pat|glpat|xox[a-z])[-_][\w*.-]{4,}")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"?')  # one that does not end goes to the line's
_TABLE = re.compile(r"\s*\[+([^\]\n]*)")


def masked_comment(text: str) -> str:
    """A comment without the secrets of settings that were put out of use."""
    text = _COMMENTED.sub(_after_name, text)
    return _KEYLIKE.sub(HIDDEN, shown_words(text))


def roughly_masked(text: str) -> str:
    """A text that is no YAML, JSON or TOML (yet), without what may be a secret.

    Hidden are: all that follows a name for a secret in its line and, deeper, in the lines after it; what is in `env`
    and `headers`; long words of letters and digits; quoted text with escapes; keys by their well-known beginnings.
    """
    return "".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    depth: int | None = None  # of the name whose lines are hidden
    table = False
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        if found := _TABLE.match(body):
            table = any(map(_hides, re.split(r"[\s.\"']+", found[1])))
        indent = len(body) - len(body.lstrip(" \t-"))
        if depth is not None and body.strip() and indent <= depth and body.strip()[0] not in "\"'])}":
            depth = None
        if (depth is not None and body.strip()) or (table and not found):
            yield f"{body[:indent]}{HIDDEN}{end}"
            continue
        name = next((each for each in _NAMED.finditer(body) if _hides(each[1])), None)
        if name is not None:
            depth = indent
            rest = body[name.end() :]
            body = body[: name.end()] + (f" {HIDDEN}" if is_literal(rest.strip(" \t\"'{[,|>")) else rest)
        yield _words(body) + end


def _hides(name: str) -> bool:
    return "\\" in name or names_secret(name) or holds_settings(name)


def _words(text: str) -> str:
    text = _QUOTED.sub(lambda found: f'"{HIDDEN}"' if "\\" in found[0] else found[0], shown_words(text))
    return _KEYLIKE.sub(HIDDEN, _LONG.sub(_unless_plain, text))


def _unless_plain(found: re.Match[str]) -> str:
    """A long word of letters and digits is hidden."""
    mixed = any(sign.isdigit() for sign in found[0]) and any(sign.isalpha() for sign in found[0])
    return HIDDEN if mixed and "$" not in found[0] else found[0]


def _after_name(found: re.Match[str]) -> str:
    hide = names_secret(found[1]) and is_literal(found[3].strip("\"'"))
    return f"{found[1]}{found[2]}{HIDDEN}" if hide else found[0]
