"""What the API tells of projects, models, routes and itself, as its description in /docs has it."""

from __future__ import annotations

from typing import Any, Literal

from llamafarm.server.api.bodies.answers import Answer, RouteTaken


class ModelState(Answer):
    """What a project says of a named model; `problems` say why it can't be used, where it can't."""

    provider: str
    model: str
    description: str
    tier: str | None
    default: bool
    usable: bool
    problems: list[str]


class ModelEntry(Answer):
    """A named model. `created` is when its project file was last written, in seconds since 1970."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    llamafarm: ModelState


class ProbeFinding(Answer):
    """What one check of a probe found, and the evidence; `meaning` and `figures` say what a `no` means for which."""

    check: str
    title: str
    mark: Literal["yes", "no", "untold"]
    evidence: str
    meaning: str
    short: str
    figures: list[str]


class ModelProbe(Answer):
    """The newest probe that is kept of a model at its server (`lf models probe`); it may be another named model's."""

    model: str
    server: str
    provider: str
    model_id: str
    probed_at: str
    day: str
    ended: bool
    tokens: int
    long_prompt_words: int
    seconds: float
    findings: list[ProbeFinding]


class ProbedState(ModelState):
    """What a project says of a named model, and what a probe found its server to do; null where none is kept."""

    probe: ModelProbe | None


class OneModel(ModelEntry):
    """A named model, with what is known of its server."""

    llamafarm: ProbedState


class ModelList(Answer):
    """The named models of a project, and `auto`: whichever the router picks."""

    object: Literal["list"]
    data: list[ModelEntry]


class ConfigProblem(Answer):
    """What is wrong in a project file: `line` counts from 1, `key` is the dotted path."""

    line: int | None
    key: str
    message: str


class ProjectEntry(Answer):
    """A project that is served; `broken` are the problems of a newer edit, which is not used."""

    namespace: str
    name: str
    file: str
    default_model: str
    models: list[str]
    broken: list[ConfigProblem]


class ProjectList(Answer):
    """The projects of a namespace."""

    object: Literal["list"]
    data: list[ProjectEntry]


class ProjectAnswer(ProjectEntry):
    """A project with its file as plain values: every secret in it is hidden, `${env:NAME}` stays as it is written."""

    config: dict[str, Any]
    errors: list[ConfigProblem]
    warnings: list[ConfigProblem]


class RouteAnswer(Answer):
    """The model that `auto` would ask, why, and what each strategy would pick. Nothing is asked."""

    model: str
    reason: str
    suggestions: list[RouteTaken]


class Part(Answer):
    """One part of the server: `ready`, `degraded` (it works, but look), or `not_ready`; `detail` says why."""

    status: Literal["ready", "degraded", "not_ready"]
    detail: str


class Health(Answer):
    """Whether the server can answer. Callers without a key, where keys are asked for, see `status` alone."""

    status: Literal["ready", "degraded", "not_ready"]
    version: str | None = None
    parts: dict[str, Part] | None = None
