"""The commands put together."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from llamafarm import __version__
from llamafarm.cli.asking.once import Commands
from llamafarm.cli.commands import learn, models, replay, report
from llamafarm.cli.commands.batch import command as batch
from llamafarm.cli.commands.chat import command as chat
from llamafarm.cli.commands.compare import compare
from llamafarm.cli.commands.history.command import history
from llamafarm.cli.commands.init.command import init
from llamafarm.cli.commands.route import route
from llamafarm.cli.commands.schema import schema
from llamafarm.cli.commands.serve import serve
from llamafarm.cli.commands.sweep import command as sweep
from llamafarm.cli.commands.validate import validate
from llamafarm.cli.terminal.pipes import OutputLost, told_output
from llamafarm.cli.terminal.streams import clean_streams
from llamafarm.core.errors import ConfigError, LlamaFarmError

INTERRUPTED = 130

app = Commands(
    name="lf",
    help="Ask and compare the language models of a llamafarm.yaml: which answers best, how fast, at what cost.",
    epilog="""\b
Examples:
  lf init && lf chat "Hello"
  lf compare "Why is the sky blue?"

Exit codes: 0 done, 1 no usable model or no answer, 2 wrong usage, 130 interrupted.""",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command(epilog=chat.HELP)(chat.chat)
app.command(epilog='Example: lf compare --models fast,expert "Why is the sky blue?"')(compare)
app.command(epilog=sweep.HELP)(sweep.sweep)
app.command(epilog=batch.HELP)(batch.batch)
app.command(epilog='Example: lf route "Analyze the causes of the war"')(route)
app.command(epilog=learn.HELP)(learn.learn)
app.command(epilog=replay.HELP)(replay.replay)
app.add_typer(models.app, name="models", epilog="Example: lf models check")
app.add_typer(history)
app.command(epilog=report.HELP)(report.report)
app.command(epilog="Example: lf validate llamafarm.yaml --json")(validate)
app.command(epilog="Example: lf schema > llamafarm.schema.json")(schema)
app.command(epilog="Example: lf init speed_tiers")(init)
app.command(epilog="Example: lf serve --config llamafarm.yaml --port 8000")(serve)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lf {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main(arguments: Sequence[str] | None = None, *, defaults: Mapping[str, Mapping[str, object]] | None = None) -> None:
    """Run `lf` with `arguments`, or with those of the process; exits with the documented codes.

    `defaults` are other default values of options, by command and option.
    """
    _settle_streams()
    with told_output(), clean_streams():
        _run(arguments, defaults)


def _run(arguments: Sequence[str] | None, defaults: Mapping[str, Mapping[str, object]] | None) -> None:
    try:
        app(args=None if arguments is None else list(arguments), default_map=defaults)
    except LlamaFarmError as error:
        typer.echo(f"lf: {error}", err=True)
        for problem in error.problems if isinstance(error, ConfigError) else ():
            typer.echo(f"  line {problem.line or '?'}: {problem.message}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OutputLost:
        raise
    except Exception:  # a fault of ours, told as Python does, but clean
        traceback.print_exc()
        sys.exit(1)


def _settle_streams() -> None:
    """A closed output goes nowhere, and a character that the terminal's encoding lacks becomes a question mark."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open until the process ends
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the same
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
