"""Which project file a command is about."""

from __future__ import annotations

from pathlib import Path

import typer

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
    raise typer.BadParameter("There is no llamafarm.yaml in this folder: name a file.")


def project_or_sample(named: Path | None) -> Path:
    """Like `project_file`; where nothing was named and nothing is there, the sample that needs nothing."""
    from llamafarm.config.samples import FIRST, sample_path

    if named is None and not any(Path(name).is_file() for name in NAMES):
        typer.echo("lf: there is no llamafarm.yaml here, so the bundled sample is used.", err=True)
        return sample_path(FIRST)
    return project_file(named)
