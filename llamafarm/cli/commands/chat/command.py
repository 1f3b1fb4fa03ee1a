"""`lf chat`: one model, asked once or in a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.options import (
    ConfigOption,
    FileOption,
    JsonOption,
    MaxTokensOption,
    ModelOption,
    Options,
    ParamOption,
    PromptArgument,
    SystemOption,
    TemperatureOption,
    VarOption,
    wish_of,
)
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.cli.asking.target import Target
    from llamafarm.cli.terminal.screen import Screen

HELP = """\b
Examples:
  lf chat "Hello"
  lf chat --model auto "Why is the sky blue?"
  cat notes.txt | lf chat "Summarise this"
  lf chat -f question.txt --temperature 0 --json
  lf chat --model fast --curl "Hello"
  lf chat -i
  lf chat --url http://127.0.0.1:8000 "Hello"

\b
Exit codes: 0 answered, 1 no answer, 2 wrong usage, 130 interrupted
(143 by SIGTERM, 141 when the answer's reader has gone)."""


def chat(
    prompt: PromptArgument = None,
    model: ModelOption = None,
    config: ConfigOption = None,
    file: FileOption = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="A conversation; /help there tells its commands.")
    ] = False,
    system: SystemOption = None,
    temperature: TemperatureOption = None,
    max_tokens: MaxTokensOption = None,
    param: ParamOption = None,
    var: VarOption = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Write the answer at once when it is whole; its timings stay.")
    ] = False,
    as_json: JsonOption = False,
    curl: Annotated[
        bool, typer.Option("--curl", help="Show the request as a curl command, keys as $VARIABLES; send nothing.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="Ask a running LlamaFarm or OpenAI-compatible server: http://HOST:PORT, or with /v1/projects/…/….",
        ),
    ] = None,
    api_key: Annotated[
        str | None, typer.Option("--api-key", metavar="KEY", help="The key for --url; better in LF_API_KEY.")
    ] = None,
) -> None:
    """Ask one model. The answer goes to standard output, everything else to standard error."""
    if interactive and (as_json or curl):
        raise typer.BadParameter("A conversation is neither JSON nor a curl command.", param_hint="--interactive")
    given = wish_of(prompt, file, system, temperature, max_tokens, param, var, piped=not interactive)
    from llamafarm.cli.asking.target import target_of

    target = target_of(model, config, url, api_key, dict(given.variables))
    _check_variables(target, given)
    if curl:
        _show_curl(target, given)
        return
    raise typer.Exit(_run(target, given, interactive=interactive, whole=no_stream, as_json=as_json))


def _check_variables(target: Target, given: Options) -> None:
    """Raises RequestError where the prompts need a value that was not given."""
    from llamafarm.core.errors import RequestError
    from llamafarm.engine.lane import request_for

    lane, _ = target.lane(given.prompt)
    try:
        request_for(target.project, lane, given.question())
    except RequestError as error:
        raise RequestError(error.message, hint="Give it with --var NAME=TEXT.") from None


def _show_curl(target: Target, given: Options) -> None:
    """The request on standard output; which variable it needs on standard error."""
    import asyncio
    import os

    from llamafarm.cli.commands.chat.curl import curl_command, key_variable
    from llamafarm.runtime import open_runtime

    async def sent() -> None:
        async with open_runtime() as runtime:
            request = await runtime.preview(target.project, target.lane(given.prompt)[0], given.question())
        typer.echo(curl_command(request))
        variable = key_variable(request)
        if variable and variable not in os.environ:
            typer.echo(f"lf: put the key into the variable {variable} first: export {variable}=…", err=True)

    asyncio.run(sent())


def _run(target: Target, given: Options, *, interactive: bool, whole: bool, as_json: bool) -> int:
    """The exit code of an answer or of a conversation."""
    import asyncio

    from llamafarm.cli.terminal.pipes import BROKEN_PIPE
    from llamafarm.cli.terminal.screen import Screen, close_output

    screen = Screen()
    try:
        if interactive:
            from llamafarm.cli.commands.chat.conversation import converse

            return converse(target, given, screen, whole=whole)
        return asyncio.run(_once(target, given, screen, whole=whole, as_json=as_json))
    except BrokenPipeError:
        close_output()
        return BROKEN_PIPE
    except OSError as error:  # a full disk: servers' errors have become the engine's long before
        close_output()
        typer.echo(f"lf: The answer can't be written: {error.strerror}.", err=True)
        return 1


async def _once(target: Target, given: Options, screen: Screen, *, whole: bool, as_json: bool) -> int:
    from llamafarm.cli.asking.remote import seen_through
    from llamafarm.cli.commands.chat.answer import Teller, ask
    from llamafarm.cli.terminal.lines import route_line, summary_line
    from llamafarm.cli.terminal.stop import Stop
    from llamafarm.output.contracts import chat_json
    from llamafarm.runtime import open_runtime, zero

    lane, route = target.lane(given.prompt)
    teller, stop = Teller(screen, text=not (whole or as_json)), Stop()
    with stop.on_signals():
        async with open_runtime() as runtime:
            await zero(runtime)
            if line := route_line(route):
                screen.note(line)
            reply = await ask(runtime, target.project, lane, given.question(), teller, stop)
    teller.end(reply, whole=whole and not as_json)
    reply, route = seen_through(reply), (reply.relayed and reply.relayed.route) or route
    if as_json:
        typer.echo(strict_json.dumps(chat_json(given.prompt, route, reply), indent=2))
    else:
        screen.summary(summary_line(reply, route.strategy))
    if reply.status == "done":
        return 0
    return stop.code or 1
