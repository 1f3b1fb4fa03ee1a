"""The command-line options that several commands share, and the request that they add up to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.complete import complete_models, complete_names
from llamafarm.cli.asking.pairs import parameters_of, variables_of
from llamafarm.cli.asking.prompt import read_prompt

if TYPE_CHECKING:
    from llamafarm.core.types import JsonValue
    from llamafarm.engine.lane import Question

PromptArgument = Annotated[
    str | None,
    typer.Argument(metavar="PROMPT", help="What to ask. What comes by -f and standard input is put after it."),
]
FileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="Read the prompt from a file, - for standard input; may be repeated."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="The project file; else ./llamafarm.yaml (.yml, .json, .toml)."
    ),
]
FileArgument = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The project file, as by --config.", show_default=False)
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        "--concurrency", "--at-once", min=1, max=256, help="Calls at one server at a time; 1 at embedded models."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="A named model, or auto for the router's pick; else the default.",
        autocompletion=complete_models,
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--models",
        "--model",
        "-m",
        metavar="NAMES",
        help="Names of models, with commas or repeated; else all that can be used.",
        autocompletion=complete_names,
    ),
]
SystemOption = Annotated[
    str | None, typer.Option("--system", "-s", help="A system prompt in place of the project's.", metavar="TEXT")
]
TemperatureOption = Annotated[
    float | None,
    typer.Option("--temperature", "-t", metavar="NUMBER", min=0, help="Randomness; 0 is the most likely answer."),
]
MaxTokensOption = Annotated[
    int | None, typer.Option("--max-tokens", metavar="COUNT", min=1, help="Bound on the answer's tokens.")
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option(
        "--param", "-p", metavar="KEY=VALUE", help="Any other parameter: JSON, else text; null takes one away."
    ),
]
VarOption = Annotated[
    list[str] | None, typer.Option("--var", metavar="KEY=TEXT", help="A value for a template variable of the prompts.")
]
RecordOption = Annotated[bool, typer.Option("--record/--no-record", help="Keep it in the history.")]
FairOption = Annotated[
    bool, typer.Option("--fair", help="One at a time, each model warmed before: times that may be compared.")
]
CheckOption = Annotated[
    list[str] | None, typer.Option("--check", metavar="CHECK", help="What answers must pass; may be repeated.")
]
ResumeOption = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with one of the history.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write all answers there: .csv, .parquet or .jsonl.")
]
ExcelOption = Annotated[
    bool, typer.Option("--excel", help="Begin the CSV with a byte order mark, by which Excel knows UTF-8.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write a JSON object for programs.")]


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked, and how: the same for one model and for many."""

    prompt: str
    system: str | None
    parameters: Mapping[str, JsonValue]
    variables: Mapping[str, JsonValue]

    def question(self) -> Question:
        """As the first of a conversation."""
        from llamafarm.core.types import Message
        from llamafarm.engine.lane import Question

        return Question((Message("user", self.prompt),), self.variables, self.parameters, system=self.system)


def wish_of(
    prompt: str | None,
    files: Sequence[Path] | None,
    system: str | None,
    temperature: float | None,
    max_tokens: int | None,
    params: Sequence[str] | None,
    variables: Sequence[str] | None,
    *,
    piped: bool = True,
) -> Options:
    """The wish of a command line. Wrong usage where something can't be read, or where there is no prompt at all.

    `piped`: standard input, where it is no terminal, belongs to the prompt; else an empty prompt is none.
    """
    for text in (prompt, system, *(params or ()), *(variables or ())):
        _check_text(text)
    parameters = given_parameters(params, temperature, max_tokens)
    text = read_prompt(prompt, files or (), piped=piped)
    if piped and not text:
        raise typer.BadParameter("There is no prompt: give one, name a file with -f, or pipe it in.")
    return Options(text, system, parameters, variables_of(variables or ()))


def given_parameters(
    params: Sequence[str] | None, temperature: float | None, max_tokens: int | None
) -> dict[str, JsonValue]:
    """What `--param` and the options for two of them say. Wrong usage where it can't be read."""
    parameters = parameters_of(params or ())
    if temperature is not None:
        if not math.isfinite(temperature):
            raise typer.BadParameter("A temperature is a finite number.", param_hint="--temperature")
        parameters["temperature"] = temperature
    if max_tokens is not None:
        parameters["max_tokens"] = max_tokens
    return parameters


def _check_text(text: str | None) -> None:
    """Bytes of the command line that are no text in its encoding can't be sent to anybody."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise typer.BadParameter(f"{text!r} is not UTF-8 text.") from None
