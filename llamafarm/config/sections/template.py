"""Template variables in texts: `{{ name }}` is required, `{{ name | default }}` is not.

A project's own prompts are templates (`render`). In texts that a person or a file brings only the names that have a
value are variables, and everything else in braces is what they wrote (`fill`). Each text is gone through once: what a
value holds is never a template.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue

_PLACE = re.compile(r"\{\{(?!\{)((?:(?!\}\}|\{\{).)*)\}\}", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a text; `default` is None where a value is required."""

    name: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with what `fill` put in. `used` are the names of its values, `left` what else stands in braces."""

    text: str
    used: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def name_of(text: str) -> str:
    """`text` as a name is compared: with single spaces, and composed letters (Unicode's NFC)."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def variables(texts: Iterable[str]) -> tuple[Variable, ...]:
    """The variables of `texts`, each once, in order; required as soon as one place requires it."""
    found: dict[str, Variable] = {}
    for text in texts:
        for match in _PLACE.finditer(text):
            new = _variable(match[1])
            if new is not None:
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
    return fill(text, values, defaults=True).text


def render_all(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """`value` with every text in it rendered; names of fields stay. Raises RequestError as `render` does."""
    match value:
        case str():
            return render(value, values) if "{{" in value else value
        case dict():
            return {name: render_all(each, values) for name, each in value.items()}
        case list() | tuple():
            return [render_all(each, values) for each in value]
        case _:
            return value


def texts_of(value: JsonValue) -> Iterator[str]:
    """All texts in `value`, but the names of fields."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts_of(each)
        case list() | tuple():
            for each in value:
                yield from texts_of(each)


def fill(
    text: str, values: Mapping[str, JsonValue], written: Callable[[str], str] = str, *, defaults: bool = False
) -> Filled:
    """`text` with the variables that `values` has, whatever letters and spaces their names hold; the rest stays.

    `written` says how a value's text is written into it; with `defaults` those of the text count as values. Raises
    RequestError where a value is a list or an object.
    """
    if "{{" not in text:
        return Filled(text)
    known = {name_of(name): name for name in values}
    used: dict[str, None] = {}
    left: dict[str, None] = {}

    def put(match: re.Match[str]) -> str:
        inner = name_of(match[1])
        name = known.get(inner) or known.get(name_of(match[1].partition("|")[0]))
        if name is not None:
            used[name] = None
            return written(_text(name, values[name]))
        variable = _variable(match[1]) if defaults else None
        if variable is not None and variable.default is not None:
            return variable.default
        left[inner] = None
        return match[0]

    return Filled(_PLACE.sub(put, text), tuple(used), tuple(left))


def _variable(inner: str) -> Variable | None:
    """What stands between the braces as a variable; None where it is something else."""
    name, bar, default = inner.partition("|")
    if not _NAME.fullmatch(name.strip()):
        return None
    return Variable(name.strip(), _default(default) if bar else None)


def _default(written: str) -> str:
    default = written.strip()
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
