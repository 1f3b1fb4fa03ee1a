"""Template variables in prompts: `{{ name }}` is required, `{{ name | default }}` is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llamafarm.errors import RequestError
from llamafarm.types import JsonValue

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:\|((?:(?!\}\}).)*))?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a text; `default` is None where a value is required."""

    name: str
    default: str | None


def variables(texts: Iterable[str]) -> tuple[Variable, ...]:
    """The variables of `texts`, each once, in order; required as soon as one place requires it."""
    found: dict[str, Variable] = {}
    for text in texts:
        for match in _VARIABLE.finditer(text):
            new = Variable(match[1], _default(match))
            known = found.get(new.name)
            found[new.name] = new if known is None or new.default is None else known
    return tuple(found.values())


def render(text: str, values: Mapping[str, JsonValue]) -> str:
    """`text` with its variables filled in; null is empty, true and false are written so.

    Raises RequestError naming every variable that has no value, or one that is a list or an object.
    """
    missing = [each.name for each in variables([text]) if each.name not in values and each.default is None]
    if missing:
        names = ", ".join(missing)
        raise RequestError(f"The prompt needs a value for: {names}.", hint="Give it as a template variable.")

    def fill(match: re.Match[str]) -> str:
        if match[1] in values:
            return _text(match[1], values[match[1]])
        return _default(match) or ""

    return _VARIABLE.sub(fill, text)


def _default(match: re.Match[str]) -> str | None:
    if match[2] is None:
        return None
    default = match[2].strip()
    quoted = len(default) > 1 and default[0] == default[-1] and default[0] in "\"'"
    return default[1:-1] if quoted else default


def _text(name: str, value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            raise RequestError(f"The template variable {name} must be text, a number, true or false, or null.")
