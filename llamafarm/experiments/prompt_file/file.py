"""A file of prompts as a stream of rows. Memory holds one of them, but where the file is one list."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import cast

from llamafarm.core.errors import RequestError
from llamafarm.core.types import JsonValue
from llamafarm.experiments.prompt_file.entries import entries
from llamafarm.experiments.prompt_file.maker import Maker
from llamafarm.experiments.prompt_file.row import Bad, Row


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file of prompts, and what is the same for all of its rows.

    `template`, where given, is the prompt of every row, with the row's own values in it. `variables` are values that a
    row may replace. `checks` are made of every answer, before the row's own; a row's values may stand in them. `name`
    is how people know it, where that is not the name of `path`; its ending tells the form. `data`, where given, is what
    the file holds: nothing is read.
    """

    path: Path
    template: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    name: str | None = None
    data: bytes | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.path.name if self.name is None else self.name

    def rows(self) -> Generator[Row | Bad, None, None]:
        """All rows in their order; blocks while it reads. Raises RequestError where the file is none of prompts."""
        maker, columns = Maker(self.template, self.variables, self.checks), self.template is not None
        try:
            with self._open() as file, closing(entries(file, self.title, columns=columns)) as found:
                for number, entry in enumerate(found, 1):
                    yield maker.row(number, entry)
        except OSError as error:
            raise RequestError(f"{self.name or self.path} can't be read: {error.strerror}.") from None
        except RequestError as error:
            raise RequestError(f"{self.title}: {error.message}", hint=error.hint) from None

    def _open(self) -> BufferedReader:
        if self.data is None:
            return self.path.open("rb")
        return BufferedReader(cast("BufferedReader", BytesIO(self.data)))
