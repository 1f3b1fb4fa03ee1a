"""What a report's page shows, by the names that its template has for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from llamafarm import __version__
from llamafarm.core.characters import excerpt
from llamafarm.core.types import JsonValue
from llamafarm.history.machine import Machine
from llamafarm.history.model import Asked
from llamafarm.output.report.charts import charts
from llamafarm.output.report.collect import Collected, Shown
from llamafarm.output.report.examples import cut, said
from llamafarm.output.report.figures import Figures
from llamafarm.output.report.measured import definitions
from llamafarm.output.report.sentences import sentences, tiles
from llamafarm.output.report.sweeps import swept
from llamafarm.output.report.tables import tables

KINDS = {"compare": "Comparison", "chat": "Conversation", "sweep": "Sweep", "batch": "Batch"}
LONGEST_FILE, LONGEST_TITLE = 30_000, 120
GIBIBYTE = 2**30
OF_BATCH = {
    "file": "file of prompts",
    "rows": "its rows",
    "good": "rows that could be asked",
    "template": "prompt of every row",
    "digest": "SHA-256 of the file",
}


def content(whole: Collected, now: datetime) -> dict[str, Any]:
    """All that the template shows; texts of models and people are escaped there. Blocks: for a thread."""
    models = list(whole.figures.values())
    found = swept(whole) if whole.places is not None else None
    return {
        "title": _title(whole),
        "kind": _kind(whole),
        "facts": list(_facts(whole)),
        "sentences": sentences(whole),
        "tiles": tiles(whole),
        "tables": tables([((each.name,), each) for each in models], ("Model",)),
        "identities": [(each.name, list(each.identities)) for each in models],
        "charts": charts(models),
        "sweep": found,
        "examples": (found.examples if found else whole.examples).pairs(),
        "answers": [(lane, sample.reply.status, said(sample.reply)) for lane, sample in whole.answers],
        "faults": [(each.name, kind, text) for each in models for kind, text in each.said.items()],
        "prompts": _prompts(whole),
        "more_prompts": whole.more_prompts,
        "settings": _settings(whole),
        "snapshot": whole.subject.snapshot,
        "digest": _asked_by(whole)[1],
        "file": cut(whole.subject.snapshot.text, LONGEST_FILE) if whole.subject.snapshot else "",
        "prices": _prices(models),
        "machines": [list(_machine(each)) for each in whole.subject.machines],
        "definitions": definitions(whole),
        "now": now,
        "version": __version__,
    }


def _comparison(whole: Collected) -> Asked | None:
    return None if whole.subject.comparison is None else whole.subject.comparison.asked


def _kind(whole: Collected) -> str:
    asked, run = _comparison(whole), whole.subject.run
    return KINDS[run.kind if run else asked.kind if asked else "compare"]


def _title(whole: Collected) -> str:
    asked, run, places = _comparison(whole), whole.subject.run, whole.places
    if places is not None:
        grid = places.grid
        return f"Which {grid.parameter}? {len(grid.models)} × {len(grid.values)} settings, {grid.size:,} calls"
    text = asked.prompt if asked else run.title if run else ""
    return excerpt(text, LONGEST_TITLE) or "(no prompt)"


def _asked_by(whole: Collected) -> tuple[str, str]:
    """The project's name, and the SHA-256 of its file."""
    asked, run = _comparison(whole), whole.subject.run
    project = run.project if run else asked.project if asked else None
    return (f"{project.namespace}/{project.name}", project.digest) if project else ("", "")


def _facts(whole: Collected) -> Iterator[tuple[str, str]]:
    """What stands under the title."""
    name, digest = _asked_by(whole)
    if whole.began is not None:
        yield "Asked", _when(whole.began, whole.ended or whole.began)
    yield "Project", name
    if digest:
        yield "Configuration", f"SHA-256 {digest[:12]}…"
    yield "Calls", f"{sum(each.tally.asked for each in whole.figures.values()):,}"
    if whole.subject.run is not None and whole.subject.run.ended_at is None:
        yield "State", "not finished: these are the figures so far"
    yield "Id", whole.subject.id


def _when(began: datetime, ended: datetime) -> str:
    day, last = f"{began:%d %B %Y, %H:%M}", f"{ended:%d %B %Y, %H:%M}"
    if day == last:
        return f"{day} UTC"
    return f"{day} to {ended:%H:%M} UTC" if began.date() == ended.date() else f"{day} to {last} UTC"


def _prompts(whole: Collected) -> list[Shown]:
    if whole.places is None:
        return whole.prompts
    system = whole.places.system
    return [
        Shown(cut(prompt.text), system, _pairs(prompt.variables), tuple(check.text for check in prompt.checks))
        for prompt in whole.places.grid.prompts
    ]


def _pairs(values: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in values.items())


def _settings(whole: Collected) -> list[tuple[str, JsonValue]]:
    """What was set for all calls."""
    places, run = whole.places, whole.subject.run
    if places is None:
        plan = run.plan if run else {}
        own = [(words, plan[name]) for name, words in OF_BATCH.items() if plan.get(name) is not None]
        fair = [("one at a time, warmed", "yes" if plan["fair"] else "no")] if "fair" in plan else []
        return [*own, *whole.parameters.items(), *fair]
    grid = places.grid
    models: JsonValue = ", ".join(model.name for model in grid.models)
    values: JsonValue = ", ".join(str(value) for value in grid.values)
    told: list[tuple[str, JsonValue]] = [("models", models), (grid.parameter, values), ("repeats", grid.repeats)]
    told += [*grid.parameters.items(), ("seed of the first repeat", places.seed)]
    if places.judge:
        told += [("judge", places.judge), ("rubric", places.rubric)]
    if places.task:
        told.append(("task", places.task.task))
    return [*told, ("one at a time, warmed", "yes" if whole.fair else "no")]


def _prices(models: Sequence[Figures]) -> list[tuple[str, str, list[str]]]:
    """By model the days whose prices hold, and what they rest on."""
    return [
        (each.name, _days(each), [detail for detail, _ in each.priced.most_common()])
        for each in models
        if each.first_priced is not None
    ]


def _days(each: Figures) -> str:
    first, last = each.first_priced, each.last_priced
    return f"{first}" if first == last else f"{first} to {last}"


def _machine(machine: Machine) -> Iterator[tuple[str, str]]:
    memory = machine.memory_bytes
    yield "System", machine.system
    yield "Processor", machine.processor or "not known"
    yield "Cores", "not known" if machine.cores is None else f"{machine.cores}"
    yield "Memory", "not known" if memory is None else f"{memory / GIBIBYTE:.1f} GiB"
    yield "Python", machine.python
    yield "Versions", ", ".join(f"{name} {version}" for name, version in machine.versions.items())
