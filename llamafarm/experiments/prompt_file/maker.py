"""Makes the row to be asked from a file's entry: fills in the values, and builds its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llamafarm.config.sections.template import Filled, fill, variables
from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.checks.checks import Check, check_of
from llamafarm.experiments.prompt_file.checktexts import filled_check
from llamafarm.experiments.prompt_file.entries import Entry
from llamafarm.experiments.prompt_file.form import FIELDS
from llamafarm.experiments.prompt_file.row import Bad, Row
from llamafarm.experiments.prompt_file.text import LONGEST_TEXT, is_text

LONGEST_ID = 200
REMEMBERED = 200  # checks that were understood once
NAMED = ("id", "expected")  # columns of ours that may stand in texts too
NO_PROMPT = 'there is no prompt: name a column "prompt", or give a template with --prompt'


class _Wrong(Exception):
    pass


class Maker:
    """Makes rows of entries. `template`, `values` and `checks` are for all of them, as `PromptFile` has them."""

    def __init__(self, template: str | None, values: Mapping[str, JsonValue], checks: Sequence[str]) -> None:
        self._template = template
        self._values = values
        self._written = checks
        self._checks: dict[str, Check] = {}  # a check that many rows have is understood once

    def row(self, number: int, entry: Entry) -> Row | Bad:
        """The row that `entry` is."""
        if isinstance(entry.said, str):
            return Bad(number, entry.line, entry.said, entry.rows)
        try:
            return self._row(number, entry, entry.said)
        except _Wrong as wrong:
            return Bad(number, entry.line, str(wrong))
        except RequestError as error:
            return Bad(number, entry.line, f"{error.message} {error.hint}".strip())

    def _row(self, number: int, entry: Entry, said: dict[str, JsonValue]) -> Row:
        name = "" if said.get("id") is None else _text(said, "id", str | int | float).strip()
        if len(name) > LONGEST_ID:
            raise _Wrong(f"the id is longer than {LONGEST_ID} letters")
        own = _own(said)
        values = {**self._values, **own}
        given = {**{name: said[name] for name in NAMED if name in said}, **values}
        prompt = self._prompt(said, given)
        system = None if said.get("system") is None else _text(said, "system", str)
        around = Filled("") if system is None else fill(system, given)
        if not all(map(is_text, (name, prompt.text, system or ""))):
            raise _Wrong("half of a surrogate pair is no text that can be sent")
        if max(len(prompt.text), len(system or "")) > LONGEST_TEXT:
            raise _Wrong(f"a prompt is longer than {LONGEST_TEXT:,} letters")
        checks, asked = self._checked(said, given)
        return Row(
            number,
            entry.line,
            " ".join(name.split()),
            prompt.text,
            None if system is None else around.text,
            values,
            checks,
            used=(*prompt.used, *around.used, *asked),
            left=(*prompt.left, *around.left),
            columns=(*own, *(("prompt",) if self._template is not None and "prompt" in said else ())),
            short=entry.short,
        )

    def _prompt(self, said: dict[str, JsonValue], values: dict[str, JsonValue]) -> Filled:
        template = self._template
        if template is None:
            if "prompt" not in said:
                raise _Wrong(NO_PROMPT)
            filled = fill(_text(said, "prompt", str), values)
        else:
            own = {"prompt": _text(said, "prompt", str)} if "prompt" in said else {}
            _check_given("template", template, {**own, **values})
            filled = fill(template, {**own, **values}, defaults=True)
        if not filled.text.strip():
            raise _Wrong("the prompt is empty")
        return filled

    def _checked(self, said: dict[str, JsonValue], values: dict[str, JsonValue]) -> tuple[tuple[Check, ...], list[str]]:
        """The row's checks, and the names of the values in them."""
        expected, written = said.get("expected"), said.get("checks")
        if written is not None and (
            not isinstance(written, list) or not all(isinstance(each, str) for each in written)
        ):
            raise _Wrong("checks are a list of texts, such as contains:Paris")
        for text in self._written:
            _check_given("check", text, values)
        filled = [filled_check(str(text), values) for text in (*self._written, *(written or ()))]
        texts = [each.text for each in filled if each.text]
        if expected is not None and (text := _text(said, "expected", str | int | float).strip()):
            texts.insert(sum(bool(each.text) for each in filled[: len(self._written)]), f"contains:{text}")
        return tuple(map(self._check, texts)), [name for each in filled for name in each.used]

    def _check(self, text: str) -> Check:
        found = self._checks.get(text)
        if found is None:
            if len(self._checks) >= REMEMBERED:
                self._checks.clear()
            found = self._checks[text] = check_of(text)
        return found


def _check_given(what: str, text: str, values: Mapping[str, JsonValue]) -> None:
    """What a person writes for all rows is a template: a name that no value has is a slip of theirs."""
    missing = [each.name for each in variables([text]) if each.name not in values and each.default is None]
    if missing:
        known = f"; there are: {', '.join(values)}" if values else ""
        raise _Wrong(f"the {what} needs a value for: {', '.join(missing)}{known}")


def _text(said: Mapping[str, JsonValue], name: str, kinds: type | object) -> str:
    value = said[name]
    if isinstance(value, bool) or not isinstance(value, kinds):  # type: ignore[arg-type]  # a union is a type to it
        raise _Wrong(f"{name} is no text")
    return str(value)


def _own(said: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The object `variables`, and every column that is none of ours."""
    given = said.get("variables")
    if given is not None and not isinstance(given, dict):
        raise _Wrong("variables are an object of names and values")
    return {**{name: value for name, value in said.items() if name not in FIELDS}, **(given or {})}
