"""Files that are one list: a JSON array, or YAML. They are read whole, so that they may not be large."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import TextIOWrapper

from llamafarm.config.reading.document import Path
from llamafarm.config.reading.yaml_tree import read_yaml
from llamafarm.core.errors import ConfigError, RequestError
from llamafarm.core.json_faults import json_fault
from llamafarm.core.types import JsonValue
from llamafarm.experiments.prompt_file.text import LONGEST_LINE, is_text

KEY = "prompts"  # under which the list stands where the file is an object
MEBI = 1024 * 1024
FORM = 'Write a list of texts, or of objects with "prompt": [{"prompt": …}, …]'
_BETWEEN = re.compile(r"[\s,]*")
_SPACE = re.compile(r"\s*")


def json_list(text: TextIOWrapper) -> Iterator[tuple[int, JsonValue]]:
    """Each value of a JSON array, with its line; an object is one row, or has the list. Raises RequestError."""
    whole = _whole(text)
    start = _SPACE.match(whole)
    at = start.end() if start else 0
    if whole[at : at + 1] == "{":
        value = _parsed(whole)
        values = value.get(KEY) if isinstance(value, dict) else None
        yield from ((1, each) for each in (values if isinstance(values, list) else [value]))
        return
    _parsed(whole)  # what is wrong is told before anything is asked
    decoder, line, told = json.JSONDecoder(), 1, 0
    at += 1
    while True:
        between = _BETWEEN.match(whole, at)
        at = between.end() if between else at
        if whole[at] == "]":
            return
        line, told = line + whole.count("\n", told, at), at
        value, at = decoder.raw_decode(whole, at)
        yield line, value


def _parsed(whole: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(whole, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        fault = json_fault(error)
        raise RequestError(f"Line {fault.line:,}: this is not JSON: {fault.message}.", hint=FORM) from None
    except (ValueError, RecursionError) as error:
        raise RequestError(f"This JSON can't be used: {error}.", hint=FORM) from None
    if not isinstance(value, list | dict):
        raise RequestError("The file is no list of prompts.", hint=FORM)
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def yaml_list(text: TextIOWrapper) -> Iterator[tuple[int, JsonValue]]:
    """Each value of a list in YAML, with its line. Raises RequestError where it can't be read."""
    try:
        document = read_yaml(_whole(text))
    except ConfigError as error:
        problem = error.problems[0] if error.problems else None
        place = f"Line {problem.line:,}: " if problem and problem.line else ""
        raise RequestError(f"{place}{problem.message if problem else error}", hint=FORM) from None
    value = document.value
    path: Path = (KEY,) if isinstance(value, dict) else ()
    if isinstance(value, dict):
        value = value.get(KEY)
    if not isinstance(value, list):
        raise RequestError("The file is no list of prompts.", hint='Write "- prompt: …" for each of them.')
    for index, each in enumerate(value):
        yield document.line((*path, index)) or 1, each


def _whole(text: TextIOWrapper) -> str:
    whole = text.read(LONGEST_LINE + 1)
    if len(whole) > LONGEST_LINE:
        raise RequestError(
            f"A list of prompts may have {LONGEST_LINE // MEBI} MiB.", hint="JSON Lines and CSV may be larger."
        )
    if not is_text(whole):
        raise RequestError("The file is not UTF-8.", hint="Save it as UTF-8.")
    return whole
