"""A project file of what was found, as text that loads without a word."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from llamafarm.config.discovery.found import Cloud, FoundModel
from llamafarm.config.reading.env import references, unknown_form
from llamafarm.config.reading.strings import is_hidden
from llamafarm.core.types import JsonValue

MOST_OFFERED = 24  # models of servers: as many as stand beside each other on a page
LONGEST_MODEL, LONGEST_NAME = 200, 48
TAKEN = ("auto", "default")  # what a name of a model would be confused with
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._]+")
_ENDING = re.compile(r"(:latest|\.gguf|-00001-of-\d{5}\.gguf)$", re.IGNORECASE)
_HEAD = """\
# What was found on this machine: change names, add prompts and parameters, take out what you don't need.
# Nothing but lists of models was asked for. Keys stay in the environment: their variables are named alone.
"""


def can_be_offered(model: str) -> bool:
    """Whether a server's name for a model can stand in a file: it is seen whole, and nothing in it is filled in."""
    filled = references(model) or unknown_form(model) or is_hidden(model)
    return bool(model.strip()) and len(model) <= LONGEST_MODEL and model.isprintable() and not filled


def draft(models: Sequence[FoundModel], clouds: Sequence[Cloud]) -> str:
    """The text of a project with `models`, by size within each server, and one model of each of `clouds`.

    Of many models the first are taken, and a comment says how many were left out. There is at least one.
    """
    fit = [model for model in models if can_be_offered(model.model)]
    offered, left = fit[:MOST_OFFERED], max(len(fit) - MOST_OFFERED, 0)
    tiers = _tiers(offered)
    names: set[str] = set(TAKEN)
    entries: list[JsonValue] = [_entry(model, tiers.get(model.billions), names) for model in offered]
    entries += [_cloud(cloud, names) for cloud in clouds]
    runtime: dict[str, JsonValue] = {"models": entries}
    if offered:
        runtime = {"default_model": _default(offered, entries), "models": entries}
    project = {"version": "v1", "name": "this-machine", "namespace": "default", "runtime": runtime}
    more = f"# {left:,} more models were found, and left out here.\n" if left else ""
    return f"{_HEAD}{more}{yaml.safe_dump(project, sort_keys=False, allow_unicode=True, width=1000)}"


def _entry(found: FoundModel, tier: str | None, names: set[str]) -> JsonValue:
    told = [f"{found.billions:.3g}B" if found.billions else "", found.quantization, *found.abilities]
    facts = ", ".join(filter(None, told))
    entry: dict[str, JsonValue] = {
        "name": _name(found.model, names),
        "description": f"{found.server} on this machine{f': {facts}' if facts else ''}",
        "provider": found.provider,
        "model": found.model,
        "base_url": found.base_url,
    }
    if tier:
        entry["tier"] = tier
    if found.context_window:
        entry["context_window"] = found.context_window
    return entry


def _cloud(cloud: Cloud, names: set[str]) -> JsonValue:
    return {
        "name": _name(cloud.name.lower(), names),
        "description": f"{cloud.name}, which costs money: any model of theirs can stand here",
        "provider": "openai",
        "model": cloud.model,
        "base_url": cloud.base_url,
        "api_key": f"${{env:{cloud.variable}}}",
    }


def _name(model: str, taken: set[str]) -> str:
    """A name of its own that people can type: the model's, without owner and folder; added to `taken`."""
    base = _ENDING.sub("", model.replace("\\", "/").rstrip("/").rpartition("/")[2])
    base = _NOT_IN_NAMES.sub("-", base)[:LONGEST_NAME].strip("-.") or "model"
    name, number = base, 1
    while name.lower() in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name.lower())
    return name


def _tiers(models: Sequence[FoundModel]) -> dict[float | None, str]:
    """The tier of each size: the smallest is fast, the largest expert, those between are default."""
    sizes = sorted({model.billions for model in models if model.billions})
    if len(sizes) < 2:  # noqa: PLR2004 - one size tells nothing apart
        return {}
    return {size: "fast" if size == sizes[0] else "expert" if size == sizes[-1] else "default" for size in sizes}


def _default(models: Sequence[FoundModel], entries: Sequence[JsonValue]) -> JsonValue:
    """The name of the model in the middle of those with a size, else of the first."""
    sized = sorted((model.billions, at) for at, model in enumerate(models) if model.billions)
    entry = entries[sized[(len(sized) - 1) // 2][1] if sized else 0]
    return entry["name"] if isinstance(entry, dict) else None
