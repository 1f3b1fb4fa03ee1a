"""`${env:VAR}`, `${VAR}` and `${VAR:-default}` in a project's strings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

REFERENCE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A string with its references filled in; `used` are all variables in it, `missing` those without a value."""

    text: str
    used: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def references(text: str) -> tuple[str, ...]:
    """The names of the variables that `text` refers to."""
    return tuple(found[1] for found in REFERENCE.finditer(text))


_FORM = re.compile(r"\$\{[^}]*\}?|\{\{.*?\}\}|^\$[A-Za-z_][A-Za-z0-9_]*$|^%[A-Za-z_][A-Za-z0-9_]*%$", re.DOTALL)


def unknown_form(text: str) -> str | None:
    """What in `text` looks as if it were filled in, in no form of ours, and without what may be secret in it."""
    found = _FORM.search(REFERENCE.sub("", text))
    if found is None:
        return None
    form, colon, _ = found[0].partition(":")
    return f"{form}:…}}" if colon else form


def without_references(text: str) -> str:
    """`text` with nothing in the places of its references, or the defaults that they name."""
    return REFERENCE.sub(lambda found: found[2] or "", text)


def resolve(text: str, values: Mapping[str, str]) -> Resolved:
    """Fill in `text` from `values`; a variable that is set but empty takes its default, as in a shell."""
    missing: list[str] = []

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1]) or found[2]
        if value is None:
            missing.append(found[1])
            return ""
        return value

    return Resolved(REFERENCE.sub(fill, text), references(text), tuple(missing))


def environment(folder: Path | None, environ: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The process's environment over the `.env` of `folder`; a `.env` that can't be read counts as none."""
    own = os.environ if environ is None else environ
    if folder is None:
        return own
    try:
        text = (folder / ".env").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return own
    beside = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in beside.items() if value is not None} | dict(own)
