"""The `runtime.routing` section: what `auto` goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from llamafarm.config.model import Routing, Strategy
from llamafarm.config.nearest import nearest
from llamafarm.config.reading.document import Findings, Path, shortened
from llamafarm.config.sections.checked import checked
from llamafarm.core.types import JsonValue

PATH: Path = ("runtime", "routing")


def read_routing(findings: Findings, value: JsonValue) -> Routing:
    """How a project routes. What is wrong is an error with its line, and as if it were not written."""
    if isinstance(value, str):
        value = {"strategy": value}
    section = dict(findings.mapping(PATH, value))
    for key in section.keys() - Routing.model_fields.keys():
        known = _known(key, list(Routing.model_fields))
        findings.warn((*PATH, key), f"`{shortened(key)}` is not used by the playground: ignored; {known}")
        del section[key]
    strategy = section.get("strategy")
    if strategy is not None and strategy not in get_args(Strategy):
        told = shortened(strategy) if isinstance(strategy, str) else "that"
        findings.error((*PATH, "strategy"), f"There is no strategy `{told}`; {_known(told, get_args(Strategy))}")
        del section["strategy"]
    if section.get("budget") is not None and section.get("per_dollar") is not None:
        findings.error((*PATH, "per_dollar"), "Both `budget` and `per_dollar` are set, and each sets the other.")
        del section["per_dollar"]
    routing, problems = checked(findings.document, PATH, Routing, _told(section))
    findings.errors.extend(problems)
    return routing or Routing()


def _known(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else f"there is: {', '.join(f'`{each}`' for each in known)}."


def _told(section: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in section.items() if value is not None}
