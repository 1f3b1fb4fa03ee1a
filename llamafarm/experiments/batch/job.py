"""What a batch asks: every row of a file, of every model; and what that will take, before it starts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from llamafarm.config.model import NamedModel, Project
from llamafarm.config.server import server_of
from llamafarm.core.errors import RequestError
from llamafarm.core.tokens import estimate_messages
from llamafarm.core.types import ChatRequest, JsonValue, Message
from llamafarm.engine.lane import Lane, Question, names_in, request_for
from llamafarm.engine.replies import Prices
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.remarks import Remarks
from llamafarm.experiments.prompt_file.row import Bad, Row
from llamafarm.experiments.sweep.plan import Plan, Total, bound_of

MOST_ROWS = 1_000_000
TOLD = 20  # bad rows that are told one by one

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Job:
    """`parameters` and `system` are for all calls; a row's own system prompt comes before `system`.

    `skip_bad`: rows that can't be asked are passed over. Else they are an error before anything is asked. `fair`: one
    call at a time, whichever servers there are, and each model warmed before (see `Sequential`).
    """

    models: tuple[NamedModel, ...]
    file: PromptFile
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    system: str | None = None
    skip_bad: bool = False
    fair: bool = False

    def question(self, row: Row) -> Question:
        """What a row asks, whichever model answers."""
        system = self.system if row.system is None else row.system
        messages, own = (Message("user", row.prompt),), row.system is not None
        return Question(messages, row.variables, self.parameters, system=system, verbatim=own)


@dataclass(frozen=True, slots=True)
class Survey:
    """What reading the whole file once has shown. `rows` counts all rows, `bad_rows` those that can't be asked.

    `digest` is the SHA-256 of the file's bytes; `stamp` tells later whether it was changed. `bad` are the first of the
    bad rows, and `passed_over` has a byte for each row by number, 1 where it is bad. `checked` rows have checks.
    """

    digest: str
    stamp: Stamp
    rows: int
    checked: int
    bad_rows: int
    bad: tuple[Bad, ...]
    passed_over: bytes
    plan: Plan

    @property
    def good(self) -> int:
        """How many rows are asked."""
        return self.rows - self.bad_rows


def without_tools(project: Project) -> Project:
    """`project` without the tools of MCP servers: what they do would be done once a row."""
    models = tuple(model.model_copy(update={"mcp_servers": ()}) for model in project.models)
    return project.model_copy(update={"models": models})


def lanes_of(job: Job) -> tuple[Lane, ...]:
    """A lane for each model of a row."""
    return tuple(Lane(model.name, model) for model in job.models)


def stamp_of(path: Path) -> Stamp:
    """What changes with the file. Raises RequestError where it is gone."""
    try:
        found = path.stat()
    except OSError as error:
        raise RequestError(f"{path} can't be read: {error.strerror}.") from None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises RequestError where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RequestError(f"{path} can't be read: {error.strerror}.") from None


def survey_of(project: Project, job: Job, prices: Prices) -> Survey:
    """Read the whole file: which rows are bad, and what the good ones will take. Blocks: for a thread.

    Raises RequestError where the file can't be read, holds no row that can be asked, or more than a million.
    """
    if not job.models:
        raise RequestError("A batch needs a model.")
    stamp = stamp_of(job.file.path)
    digest = digest_of(job.file.path)
    counts = _Counts(project, job)
    with closing(job.file.rows()) as rows:
        for row in rows:
            counts.add(row)
            if counts.rows > MOST_ROWS:
                raise RequestError(f"{job.file.title} has more than {MOST_ROWS:,} rows.", hint="Split it.")
    if not counts.rows:
        raise RequestError(f"{job.file.title} has no row.")
    return Survey(
        digest=digest,
        stamp=stamp,
        rows=counts.rows,
        checked=counts.checked,
        bad_rows=counts.bad_rows,
        bad=tuple(counts.bad),
        passed_over=bytes(counts.passed_over),
        plan=counts.plan(prices),
    )


def rows_told(count: int) -> str:
    """`1 row`, `1,204 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"


def check_survey(job: Job, survey: Survey) -> None:
    """Raise RequestError where rows are bad and not to be passed over, or where no row is good."""
    told = "; ".join(map(str, survey.bad))
    more = survey.bad_rows - len(survey.bad)
    rest = f"; and {more:,} more" if more else ""
    if survey.bad_rows and (not job.skip_bad or not survey.good):
        hint = "Nothing was asked. Passing over them is a choice: --skip-bad." if survey.good else "Nothing was asked."
        raise RequestError(f"{rows_told(survey.bad_rows)} of {job.file.title} can't be asked: {told}{rest}.", hint=hint)


@dataclass(slots=True)
class _Counts:
    """Adds up rows. Models with the same prompts get the same tokens, and rows with as many tokens cost the same."""

    project: Project
    job: Job
    rows: int = 0
    checked: int = 0
    bad_rows: int = 0
    bad: list[Bad] = field(default_factory=list)
    passed_over: bytearray = field(default_factory=lambda: bytearray(1))  # no row has the number 0
    remarks: Remarks = field(init=False)
    _tokens: dict[tuple[str, ...], Counter[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.remarks = Remarks(self.job.file.title)

    def add(self, row: Row | Bad) -> None:
        """Count the next row."""
        found = row if isinstance(row, Bad) else self._estimate(row)
        if isinstance(found, Bad):
            self.rows += found.rows
            self.bad_rows += found.rows
            self.passed_over.extend(b"\1" * found.rows)
            if len(self.bad) < TOLD:
                self.bad.append(found)
        elif isinstance(row, Row):
            self.rows += 1
            self.passed_over.append(0)
            self.checked += bool(row.checks)
            self.remarks.add(row)

    def _estimate(self, row: Row) -> Bad | None:
        """The tokens of a row, once for all models whose prompts are the same; Bad where a template lacks a value."""
        question, made = self.job.question(row), {}
        try:
            for model in self.job.models:
                if model.prompts not in made or model.tools:  # whose texts may lack a value, too
                    request = request_for(self.project, Lane(model.name, model), question)
                    made[model.prompts] = estimate_messages(request.messages)
        except RequestError as error:
            return Bad(row.number, row.line, error.message.rstrip("."))
        for prompts, tokens in made.items():
            self._tokens.setdefault(prompts, Counter())[tokens] += 1
        return None

    def plan(self, prices: Prices) -> Plan:
        """What the good rows will take."""
        total, servers, good = Total(prices), Counter[str](), self.rows - self.bad_rows
        for model in self.job.models:
            servers[server_of(model)] += good
            bound = bound_of(ChatRequest((), {**model.parameters, **self.job.parameters}))
            for tokens, times in self._tokens.get(model.prompts, {}).items():
                total.add(model, tokens, bound, times)
        return total.plan(good * len(self.job.models), 0, servers, self._notes())

    def _notes(self) -> Iterator[str]:
        if self.bad_rows:
            yield f"Passed over: {self.bad_rows:,} of {self.rows:,} rows can't be asked."
        yield from self.remarks.notes(names_in(self.project, self.job.models, self.job.system))
        if any(model.mcp_servers for model in self.job.models):
            yield "Tools of MCP servers are not offered: what they do would be done once a row."
        if any(model.fallback or self.project.fallback for model in self.job.models):
            yield "A row that a fallback answers counts apart: its figures are not those of the model that was asked."
