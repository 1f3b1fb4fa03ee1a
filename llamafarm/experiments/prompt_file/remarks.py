"""Remarks on a prompt file before it is asked: columns that fill nothing, variables that are not filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from llamafarm.core.characters import excerpt
from llamafarm.experiments.prompt_file.columns import offers, place
from llamafarm.experiments.prompt_file.form import ENDINGS, cells_of, is_object
from llamafarm.experiments.prompt_file.row import Row

MOST_NAMES = 200  # that are remembered
TOLD = 12  # names in a sentence
LONGEST = 40  # letters of a name in it


@dataclass(slots=True)
class Remarks:
    """Adds up what rows are told of. `name` is the file's."""

    name: str
    columns: dict[str, None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    left: Counter[str] = field(default_factory=Counter)
    short: int = 0
    first: str = ""

    def add(self, row: Row) -> None:
        """Count the next row."""
        self.first = self.first or row.prompt
        self.short += row.short
        if len(self.columns) < MOST_NAMES:
            self.columns.update(dict.fromkeys(row.columns))
        self.used.update(row.used)
        for name in row.left:
            if name in self.left or len(self.left) < MOST_NAMES:
                self.left[name] += 1

    def notes(self, elsewhere: Collection[str] = ()) -> Iterator[str]:
        """Sentences for people. `elsewhere` are the names that other texts take: the project's prompts, say."""
        if self.left:
            names = [
                f"{place(f' {excerpt(name, LONGEST)} ')} ({count:,})" for name, count in self.left.most_common(TOLD)
            ]
            more = f" and {len(self.left) - TOLD:,} more" if len(self.left) > TOLD else ""
            yield f"Sent as it is written, since no column and no variable is called so: {', '.join(names)}{more}."
        yield from offers([name for name in self.columns if name not in self.used and name not in elsewhere])
        if self.short:
            yield f"Rows with fewer cells than columns: {self.short:,}. Their last columns are empty."
        yield from self._form()

    def _form(self) -> Iterator[str]:
        """Lines of text that look as if they were something else."""
        if ENDINGS.get(self._ending()) != "lines" or not self.first:
            return
        if is_object(self.first):
            yield f"Each line of {self.name} is a prompt. To have JSON Lines read as such, let the name end in .jsonl."
        elif len(cells := cells_of(self.first)) > 1 and "prompt" in cells:
            yield f"Each line of {self.name} is a prompt. To have CSV read as such, let the name end in .csv."

    def _ending(self) -> str:
        return f".{self.name.lower().rpartition('.')[2]}"
