"""Which project file a command is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from llamafarm.config.model import NamedModel, Project

NAMES = tuple(f"llamafarm.{suffix}" for suffix in ("yaml", "yml", "json", "toml"))


def project_file(named: Path | None) -> Path:
    """The file that was named, else llamafarm.yaml (.yml, .json, .toml) in this folder; or wrong usage."""
    if named is not None:
        if not named.is_file():
            raise typer.BadParameter(f"There is no file {named}.")
        return named
    for name in NAMES:
        if Path(name).is_file():
            return Path(name)
    raise typer.BadParameter("There is no llamafarm.yaml in this folder: name a file, or make one with lf init.")


def one_file(argument: Path | None, option: Path | None) -> Path | None:
    """The file that was named, as an argument or by --config; wrong usage where both name one."""
    if argument is not None and option is not None:
        raise typer.BadParameter("The project file is named twice: leave FILE or --config out.")
    return argument or option


def project_or_sample(named: Path | None) -> Path:
    """Like `project_file`; where nothing was named and nothing is there, the sample that needs nothing."""
    from llamafarm.config.samples import FIRST, sample_path

    if named is None and not any(Path(name).is_file() for name in NAMES):
        typer.echo("lf: there is no llamafarm.yaml here, so the bundled sample is used.", err=True)
        return sample_path(FIRST)
    return project_file(named)


def project_of(path: Path) -> Project:
    """The project in the file at `path`. Raises ConfigError where there is none."""
    from llamafarm.config import load
    from llamafarm.core.errors import ConfigError

    loaded = load(path)
    if loaded.project is None:
        raise ConfigError(f"{path} can't be used.", loaded.errors)
    return loaded.project


def model_of(project: Project, name: str, hint: str = "--model") -> NamedModel:
    """The named model `name`; else wrong usage, with the names that there are."""
    model = project.model(name)
    if model is None:
        known = ", ".join(each.name for each in project.models)
        raise typer.BadParameter(f"There is no model {name}; the project has: {known}.", param_hint=hint)
    return model


def models_of(project: Project, names: Sequence[str] | None) -> tuple[NamedModel, ...]:
    """The models that were named, with commas or one by one; else all that can be used; else all: their errors say why.

    Which are left out is told on standard error.
    """
    if not names:
        usable = tuple(model for model in project.models if model.usable)
        for model in project.models if usable else ():
            if not model.usable:
                typer.echo(f"lf: {model.name} is left out: {model.problems[0].message}", err=True)
        return usable or project.models
    wanted = dict.fromkeys(listed(names, [model.name for model in project.models]))
    if not wanted:
        raise typer.BadParameter("No model is named.", param_hint="--models")
    return tuple(model_of(project, name, "--models") for name in wanted)


def listed(given: Sequence[str], known: Collection[str] = ()) -> list[str]:
    """What an option lists, with commas or repeated. One of `known` that holds a comma is taken as a whole."""
    parts: list[str] = []
    for text in given:
        parts += [text.strip()] if text.strip() in known else [part.strip() for part in text.split(",")]
    return [part for part in parts if part]
