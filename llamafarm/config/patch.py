"""Setting a model's parameter in its project file: comments, order and all other lines stay as they are."""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from llamafarm.config.reading.read import read_document, read_file, read_text
from llamafarm.config.secrets.mask import masked_text
from llamafarm.core.errors import LlamaFarmError, RequestError
from llamafarm.core.files import write_whole
from llamafarm.core.types import JsonValue

SECTION = "model_api_parameters"
FORMS = (".yaml", ".yml")
WIDE = 10_000  # no line is folded
PLAIN = re.compile(r"(?:[\w.+*-]+|'[^'\n]*'|\"[^\"\\\n]*\")(?=[ \t]*(?:[,}#\r\n]|$))")
UNWRITABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")  # in YAML raw, or lines' ends there
CONTEXT = 2  # lines around a change in a diff
BY_HAND = "Set it by hand."

Changes = Mapping[str, Mapping[str, JsonValue]]  # parameters by named model


def patched(text: str, name: str, changes: Changes) -> str:
    """`text`, a project file with this name, with `changes` in it.

    Raises RequestError where the file is not YAML, has no such model, or says it in a way (an alias, say) in which the
    change would also change something else.
    """
    if Path(name).suffix.lower() not in FORMS:
        raise RequestError(f"Only YAML files can be changed, not {name}.", hint=BY_HAND)
    expected = copy.deepcopy(read_document(text, name).value)
    for model, parameters in changes.items():
        entry = _entry(expected, model)
        entry[SECTION] = {**(entry.get(SECTION) or {}), **parameters}
    for model, parameters in changes.items():
        for key, value in parameters.items():
            text = _set(text, model, key, value)
    if _read_back(text, name) != expected:
        raise RequestError(f"The change would change more of {name} than meant: an alias, perhaps.", hint=BY_HAND)
    return text


def _read_back(text: str, name: str) -> JsonValue:
    try:
        return read_document(text, name).value
    except LlamaFarmError:
        return None


def routed_text(text: str, name: str, setting: Mapping[str, JsonValue]) -> str:
    """`text`, a project file with this name, with `setting` in its `runtime.routing`. Raises as `patched` does."""
    if Path(name).suffix.lower() not in FORMS:
        raise RequestError(f"Only YAML files can be changed, not {name}.", hint=BY_HAND)
    yaml, expected = _yaml(), copy.deepcopy(read_document(text, name).value)
    tree = _tree(yaml, text)
    for root in (expected, tree):
        runtime: Any = root.get("runtime") if isinstance(root, MutableMapping) else None
        if not isinstance(runtime, MutableMapping):
            raise RequestError("The file has no runtime that could be changed.", hint=BY_HAND)
        kept = runtime.get("routing")
        kept = kept if isinstance(kept, MutableMapping) else {}
        for each in {"budget"} & kept.keys() if "per_dollar" in setting else ():
            del kept[each]
        kept.update(setting)
        runtime["routing"] = kept
    after = _dumped(yaml, tree, text)
    if read_document(after, name).value != expected:
        raise RequestError(f"The change would change more of {name} than meant: an alias, perhaps.", hint=BY_HAND)
    return after


def routed_file(path: Path, setting: Mapping[str, JsonValue]) -> tuple[str, str]:
    """The file's text before and after; nothing is written. Blocks. Raises ConfigError where it can't be read."""
    before = read_text(read_file(path))
    return before, routed_text(before, path.name, setting)


def diff(before: str, after: str, name: str) -> str:
    """What changes, as a unified diff; secrets that stand near are hidden."""
    old, new = (masked_text(text, name).splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(old, new, name, name, n=CONTEXT))


def patch_file(path: Path, changes: Changes) -> tuple[str, str]:
    """The file's text before and after; nothing is written. Blocks. Raises ConfigError where it can't be read."""
    before = read_text(read_file(path))
    return before, patched(before, path.name, changes)


def apply_file(path: Path, before: str, after: str) -> None:
    """Write `after` in the place of `before`, all at once: a reader sees the one or the other. Blocks.

    Raises RequestError where the file is no longer `before`, or can't be written.
    """
    path = path.resolve()
    data = read_file(path)
    if read_text(data) != before:
        raise RequestError(f"{path.name} has changed meanwhile.", hint="Nothing was written: look at the change again.")
    try:
        write_whole(path, after.encode(_encoding(data)))
    except OSError as error:
        raise RequestError(f"{path.name} can't be written: {error.strerror}.", hint="It is as it was.") from None


def _encoding(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"


def _set(text: str, model: str, key: str, value: JsonValue) -> str:
    """Lines are replaced or put in; where the file's form leaves no place for that, ruamel writes it anew."""
    yaml = _yaml()
    tree = _tree(yaml, text)
    entry = _entry(tree, model)
    section: Any = entry.get(SECTION)
    for edited in _edits(text, entry, section, key, value):
        if edited is not None and _holds(edited, model, key, value):
            return edited
    if isinstance(section, MutableMapping):
        section[key] = _quoted(value)
    else:
        entry[SECTION] = {key: _quoted(value)}
    return _dumped(yaml, tree, text)


def _quoted(value: JsonValue) -> Any:
    """The value with its texts in double quotes: in a list on one line ruamel leaves `:0` bare, which is not YAML."""
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, Mapping):
        return {key: _quoted(inner) for key, inner in value.items()}
    return [_quoted(inner) for inner in value] if isinstance(value, list) else value


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDE
    return yaml


def _tree(yaml: YAML, text: str) -> Any:
    try:
        return yaml.load(text)
    except (YAMLError, ValueError) as error:  # it reads dates, we don't
        raise RequestError(f"The file can't be changed: {type(error).__name__}.", hint=BY_HAND) from None


def _edits(text: str, entry: Any, section: Any, key: str, value: JsonValue) -> Iterator[str | None]:
    """The text with the value set by an edit of lines, as often as there is a way to try."""
    lines = StringIO(text, newline="").readlines()
    end = "\r\n" if "\r\n" in text else "\n"
    written = UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
    there = isinstance(section, MutableMapping)
    if there and key in section:
        yield _replaced(lines, section.lc.value(key), written)
    elif there and section:
        column = section.lc.key(next(iter(section)))[1]
        yield _inserted(lines, entry.lc.key(SECTION)[0], f"{' ' * column}{key}: {written}{end}")
    elif section is None and SECTION not in entry:
        row, column = entry.lc.key(next(iter(entry)))
        indent = " " * column
        yield _inserted(lines, row, f"{indent}{SECTION}:{end}{indent}  {key}: {written}{end}")


def _replaced(lines: Sequence[str], place: tuple[int, int], written: str) -> str | None:
    """Another value at a place where one stands in its line; None where something else stands there."""
    row, column = place
    found = PLAIN.match(lines[row], column) if row < len(lines) else None
    if found is None:
        return None
    line = f"{lines[row][:column]}{written}{lines[row][found.end() :]}"
    return "".join((*lines[:row], line, *lines[row + 1 :]))


def _inserted(lines: Sequence[str], row: int, new: str) -> str | None:
    """`new` after a line; None where that is the last and has no end."""
    if row >= len(lines) or not lines[row].endswith(("\n", "\r")):
        return None
    return "".join((*lines[: row + 1], new, *lines[row + 1 :]))


def _holds(text: str, model: str, key: str, value: JsonValue) -> bool:
    """Whether an edit did what it was to do, as our own reader sees it."""
    try:
        entry = _entry(read_document(text, "edited.yaml").value, model)
    except LlamaFarmError:
        return False
    section = entry.get(SECTION)
    return isinstance(section, Mapping) and section.get(key) == value


def _dumped(yaml: YAML, tree: Any, text: str) -> str:
    """The whole file as ruamel writes it, lists indented as that of the models is."""
    yaml.explicit_start = text.lstrip().startswith("---")
    models: Any = tree["runtime"].get("models")
    listed = isinstance(models, list)
    offset = max(models.lc.col - tree["runtime"].lc.key("models")[1], 0) if listed else 0
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    out = StringIO()
    yaml.dump(tree, out)
    written = out.getvalue()
    return re.sub(r"\r*\n", "\r\n", written) if "\r\n" in text else written


def _entry(root: Any, name: str) -> Any:
    """The entry of the named model: in a list, in a mapping by name, or the one of old files."""
    runtime = root.get("runtime") if isinstance(root, Mapping) else None
    models = runtime.get("models") if isinstance(runtime, Mapping) else None
    if isinstance(models, Mapping) and isinstance(models.get(name), MutableMapping):
        return models[name]
    if isinstance(models, list):
        for entry in models:
            if isinstance(entry, MutableMapping) and str(entry.get("name")) == name:
                return entry
    if not models and name == "default" and isinstance(runtime, MutableMapping):
        return runtime
    raise RequestError(f"The file has no entry for the model {name} that could be changed.", hint=BY_HAND)
