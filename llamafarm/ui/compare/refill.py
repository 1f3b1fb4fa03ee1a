"""Refills the page from a recorded comparison, and lists what can't be the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from llamafarm.config.model import NamedModel, Project
from llamafarm.core.errors import RequestError
from llamafarm.core.types import Image, JsonValue
from llamafarm.engine.lane import Lane, Question, overridden, request_for
from llamafarm.engine.recording import again, ref_of
from llamafarm.history.model import Recorded
from llamafarm.ui.compare.settings import Settings
from llamafarm.ui.sessions import MAX_LANES


@dataclass(frozen=True, slots=True)
class Refill:
    """What goes into the page. `settings` are those of each model's controls; `notes` tell what is different."""

    prompt: str
    variables: str
    images: tuple[Image, ...]
    settings: Mapping[str, Settings]
    notes: tuple[str, ...]

    @property
    def chosen(self) -> list[str]:
        """The models that take part."""
        return list(self.settings)


def refill(recorded: Recorded, project: Project) -> Refill:
    """`recorded`, to be asked again by `project` as it is now.

    Raises RequestError where it was asked by another project, or where none of its models is left.
    """
    asked = recorded.asked
    before, now = asked.project, ref_of(project)
    if (now.namespace, now.name) != (before.namespace, before.name):
        raise RequestError(
            f"It was asked by the project {before.namespace}/{before.name}, and {now.namespace}/{now.name} is open.",
            hint="Open that project first.",
        )
    left = _left(recorded, project)
    if not left.asked.lanes and not left.lanes:
        raise RequestError("None of its models is in the project any more.")
    lanes, question = again(left, project)
    seated: dict[str, Lane] = {}
    for lane in lanes[:MAX_LANES]:
        seated.setdefault(lane.model.name, lane)
    notes = (*_gone(recorded, project), *_lanes_notes(lanes, seated), *_notes(recorded, project, seated, question))
    return Refill(
        asked.prompt,
        "\n".join(f"{name}={'' if value is None else value}" for name, value in asked.variables.items()),
        asked.messages[-1].images if asked.messages else (),
        {name: settings_of(project, lane, question) for name, lane in seated.items()},
        notes,
    )


def settings_of(project: Project, lane: Lane, question: Question) -> Settings:
    """The controls that ask `lane` as it is, the asker's own parameters and system prompt included."""
    given = overridden(lane.parameters, question.parameters)
    parameters = {name: value for name, value in {**lane.model.parameters, **given}.items() if value is not None}
    settings = Settings.of(project, lane.model.model_copy(update={"parameters": parameters}))
    system = lane.system if lane.system is not None else question.system
    return settings if system is None else replace(settings, system=system)


def _left(recorded: Recorded, project: Project) -> Recorded:
    """Without the lanes whose models are gone or can't be used."""
    asked = recorded.asked
    specs = tuple(spec for spec in asked.lanes if _usable(project, spec.model))
    lanes = tuple(lane for lane in recorded.lanes if _usable(project, lane.spec.model))
    return replace(recorded, asked=replace(asked, lanes=specs), lanes=lanes)


def _usable(project: Project, name: str) -> NamedModel | None:
    model = project.model(name)
    return model if model is not None and model.usable else None


def _gone(recorded: Recorded, project: Project) -> Iterator[str]:
    specs = [*recorded.asked.lanes, *(lane.spec for lane in recorded.lanes)]
    for name in dict.fromkeys(spec.model for spec in specs):
        model = project.model(name)
        if model is None:
            yield f"{name} is no longer in the project: it is left out."
        elif not model.usable:
            yield f"{name} can't be used now: it is left out."


def _lanes_notes(lanes: tuple[Lane, ...], seated: Mapping[str, Lane]) -> Iterator[str]:
    if len(lanes) > MAX_LANES:
        yield f"It had {len(lanes)} lanes, and the page has {MAX_LANES}: the first are asked."
    for name, lane in seated.items():
        if sum(each.model.name == name for each in lanes) > 1:
            yield f"{name} had several lanes: it is asked once, as {lane.id} was."
        if lane.auto:
            yield f"A router had picked {name}: now it is asked itself."


def _notes(recorded: Recorded, project: Project, seated: Mapping[str, Lane], question: Question) -> Iterator[str]:
    asked = recorded.asked
    if asked.project.digest != project.digest:
        yield "The project file has changed since: its prompts and settings are used as they are now."
    if len(asked.messages) > 1:
        yield "Only its newest message is asked: the page can't give the others along."
    if asked.tools:
        yield "Its asker's own tools are left out: the page has none."
    ended = {lane.spec.id: lane for lane in recorded.lanes}
    for name, lane in seated.items():
        then = ended.get(lane.id)
        if then is None or then.reply.model != name:  # another answered, by its own settings
            continue
        if (then.reply.provider, then.reply.model_id) != _identity(lane.model):
            now = " ".join(_identity(lane.model))
            yield f"{name} was {then.reply.provider} {then.reply.model_id} and is {now} now."
        yield from _changed(name, then.parameters, _sent(project, lane, question))


def _identity(model: NamedModel) -> tuple[str, str]:
    return model.provider, model.model


def _sent(project: Project, lane: Lane, question: Question) -> Mapping[str, JsonValue] | None:
    try:
        return request_for(project, lane, question).parameters
    except RequestError:
        return None


def _changed(name: str, before: Mapping[str, JsonValue], now: Mapping[str, JsonValue] | None) -> Iterator[str]:
    for key in dict.fromkeys([*before, *now]) if now is not None else ():
        old, new = before.get(key), None if now is None else now.get(key)
        if old != new:
            yield f"{name}: {key} was {_written(old)} and is {_written(new)} now."


def _written(value: JsonValue) -> str:
    return "not sent" if value is None else str(value)
