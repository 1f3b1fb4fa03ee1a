"""What the sections share: texts, names, numbers, and what is filled in from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from llamafarm.config.reading.document import MOST_NAMES
from llamafarm.config.reading.env import REFERENCE
from llamafarm.config.reading.strings import HIDDEN

Schema = dict[str, Any]

FALSY: list[object] = [None, "", False, 0]
TEXT: Schema = {"type": ["string", "number", "boolean", "null"]}  # a scalar is taken as it is written
NAME: Schema = {"anyOf": [{"type": "string", "minLength": 1}, {"type": ["number", "boolean"]}]}
NAMES: Schema = {
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "maxItems": MOST_NAMES},
    ]
}
FILLED_IN: Schema = {"type": "string", "pattern": REFERENCE.pattern}
# A `${…}` that is none of ours, a template's form, and a whole text in a shell's form.
_NONE_OF_OURS = rf"(?!{REFERENCE.pattern})" + r"\$\{"
OTHER_FORM = _NONE_OF_OURS + r"|^[^$]*\{\{[^$]*\}\}|^\$[A-Za-z_][A-Za-z0-9_]*$|^%[A-Za-z_][A-Za-z0-9_]*%$"
_NUMBER = r"^\s*\+?(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
_QUOTED: Schema = {"type": "string", "pattern": f"{_NUMBER}|{REFERENCE.pattern}"}


def ref(name: str) -> Schema:
    """The definition `name`."""
    return {"$ref": f"#/definitions/{name}"}


def one_of(words: Iterable[str], *others: object) -> Schema:
    """One of `words`, also with blanks around it, or filled in; `others` stand for nothing."""
    known = [*words]
    spaced = rf"^\s*(?:{'|'.join(map(re.escape, known))})\s*$"
    return {
        "anyOf": [{"enum": [*known, *others]}, {"type": "string", "pattern": f"{spaced}|{REFERENCE.pattern}"}],
    }


def empty_or(schema: Schema) -> Schema:
    """`schema`, or null."""
    return {"anyOf": [{"type": "null"}, schema]}


def fields_of(shape: type[BaseModel], names: Iterable[str]) -> Schema:
    """The fields `names` of `shape`, each of which may be null: then it has its default."""
    whole = shape.model_json_schema()
    definitions = whole.get("$defs", {})
    return {name: empty_or(_plain(whole["properties"][name], definitions)) for name in names}


def _plain(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """pydantic's `schema`, as files are read: a number may be quoted, or filled in from the environment."""
    if isinstance(schema, list):
        return [_plain(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if schema.get("type") in ("number", "integer"):
        kept = {key: value for key, value in schema.items() if key not in ("title", "default")}
        return {"anyOf": [kept, _QUOTED]}
    if any(each.get("type") == "number" for each in schema.get("anyOf", ())):
        return {"anyOf": [_plain(each, definitions) for each in schema["anyOf"] if each.get("type") != "string"]}
    if schema.get("type") == "object" and "properties" in schema:
        inner = {name: _plain(each, definitions) for name, each in schema["properties"].items()}
        return {**_without(schema), "properties": inner}
    return {key: _plain(value, definitions) for key, value in _without(schema).items()}


def _without(schema: Mapping[str, Any]) -> Schema:
    """Without what is for programs that make forms."""
    return {key: value for key, value in schema.items() if key not in ("title", "default", "format", "writeOnly")}


def no_text_with(pattern: str, own: str) -> Schema:
    """A value in which no text matches `pattern`, all the way down; `own` is the name of this definition."""
    return {
        "if": {"type": "string"},
        "then": {"not": {"pattern": pattern}},
        "items": ref(own),
        "additionalProperties": ref(own),
    }


SHARED: Schema = {
    "nothing hidden": no_text_with(HIDDEN.pattern, "nothing hidden"),
    "nothing unknown": no_text_with(OTHER_FORM, "nothing unknown"),
}
