"""Validates plain values into a frozen model; each wrong field is a problem of its own, and the others stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from llamafarm.config.model import Frozen
from llamafarm.config.reading.document import Document, Path
from llamafarm.core.errors import Problem

F = TypeVar("F", bound=Frozen)


def checked(
    document: Document,
    path: Path,
    shape: type[F],
    values: Mapping[str, object],
    keys: Mapping[str, str] | None = None,
) -> tuple[F | None, list[Problem]]:
    """`shape` made of `values`, and what was wrong; None where a required field is.

    `keys` maps field names to the file's own keys where they differ, so that the line is found.
    """
    try:
        return shape.model_validate(values), []
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
    problems: list[Problem] = []
    for each in wrong:
        field, *inner = each["loc"] or ("",)
        place = (
            *path,
            (keys or {}).get(str(field), str(field)),
            *(p for p in inner if isinstance(p, int | str)),
        )
        problems.append(document.problem(place, f"{each['msg']}."))
    bad = {str(each["loc"][0]) for each in wrong if each["loc"]}
    kept = {name: value for name, value in values.items() if name not in bad}
    if kept.keys() == values.keys():
        return None, problems
    return checked(document, path, shape, kept, keys)[0], problems
