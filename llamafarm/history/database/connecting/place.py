"""Where the history is kept: by default a file in the person's data folder, or what the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_data_path
from pydantic import SecretStr

from llamafarm.core.errors import MissingPartError, RequestError

URL, FOLDER = "LF_DATABASE_URL", "LF_DATA_DIR"
OFF = ("off", "none")
FILE = "history.sqlite3"
APP = "llamafarm-playground"


@dataclass(frozen=True, slots=True)
class Place:
    """A database. `name` is how people are told of it, without a password; `file` is set where it is SQLite's."""

    name: str
    url: SecretStr
    file: Path | None = None


def place_of(environ: Mapping[str, str]) -> Place | None:
    """The place that the environment asks for; None where it switches recording off.

    `LF_DATABASE_URL` is `postgresql://…`, `sqlite:///path/of/a/file`, or `off`; `LF_DATA_DIR` another folder for the
    default file. A path is taken letter by letter, whatever stands in it. Raises RequestError for any other address,
    MissingPartError where PostgreSQL's driver is missing.
    """
    url = environ.get(URL, "").strip()
    if url.lower() in OFF:
        return None
    if url:
        return _by_url(url)
    folder = environ.get(FOLDER, "").strip()
    return file_place((Path(folder).expanduser() if folder else user_data_path(APP, appauthor=False)) / FILE)


def file_place(file: Path) -> Place:
    """A SQLite file; its folder is made when it is opened."""
    return Place(str(file), SecretStr(f"sqlite:///{file}"), file)


def _by_url(url: str) -> Place:
    scheme, _, rest = url.partition("://")
    match scheme.partition("+")[0].lower():
        case "sqlite" if rest.startswith("/") and len(rest) > 1:
            return file_place(Path(rest[1:]).expanduser())
        case "postgresql" | "postgres":
            return _postgresql(rest)
        case _:
            raise RequestError(
                f"{URL} names a database that the playground does not know.",
                hint="It is postgresql://user:password@host/database, sqlite:////path/of/a/file, or off.",
            )


def _postgresql(rest: str) -> Place:
    if find_spec("psycopg") is None:
        raise MissingPartError(
            "The driver of PostgreSQL is not installed.", hint='pip install "llamafarm-playground[postgres]" brings it.'
        )
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - 0.2 s that only PostgreSQL's users spend at once
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - the same

    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        raise RequestError(f"{URL} is no address of a database.", hint="Look at its host and port.") from None
    where = f"{url.host or 'localhost'}{f':{url.port}' if url.port else ''}"
    return Place(f"PostgreSQL at {where}/{url.database or ''}", SecretStr(f"postgresql+psycopg://{rest}"))
