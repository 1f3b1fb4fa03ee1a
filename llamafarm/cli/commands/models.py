"""`lf models`: what a project names, and whether it can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from llamafarm.cli.asking.find import one_file, project_of, project_or_sample
from llamafarm.cli.asking.once import Commands
from llamafarm.cli.asking.options import ConfigOption, FileArgument, JsonOption
from llamafarm.cli.commands.probe import EXAMPLE, probe_models
from llamafarm.config.secrets.secret import shown_address
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from rich.text import Text

    from llamafarm.config.model import NamedModel, Project
    from llamafarm.core.types import JsonValue, ModelCheck

app = Commands(help="The project's named models.", no_args_is_help=True)


@app.command("list", epilog="Example: lf models list --config llamafarm.yaml --json")
def list_models(file: FileArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the named models, and what stands in the way of asking them."""
    project = project_of(project_or_sample(one_file(file, config)))
    if as_json:
        records = [_entry(project, model) for model in project.models]
        typer.echo(strict_json.dumps({"models": records}, indent=2))
        return
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    table = plain_table("Name", "Provider", "Model", "Tier", "Address", "Key", "Note")
    for model in project.models:
        address = shown_address(model.base_url or "")
        note = model.problems[0].message if model.problems else model.description
        default = " (default)" if model.name == project.default_model else ""
        cells = [model.name + default, model.provider, model.model, model.tier or "", address, _key(model)]
        table.add_row(*map(one_line, cells), _coloured(one_line(note), "red" if model.problems else "dim"))
    open_console().print(table)


@app.command("check", epilog="Example: lf models check && lf chat Hello")
def check_models(file: FileArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Look at every model's server.

    Is it there, has it the model, does it take the key? All at once, in at most 8 seconds; no model is asked anything,
    and none is loaded. The exit code is 1 where none can be used.
    """
    import asyncio

    from llamafarm.runtime import open_runtime

    project = project_of(project_or_sample(one_file(file, config)))

    async def checks() -> tuple[ModelCheck, ...]:
        async with open_runtime() as runtime:
            return await runtime.check(project)

    if as_json:
        found = asyncio.run(checks())
        records = [_checked(check) for check in found]
        typer.echo(strict_json.dumps({"models": records}, indent=2))
    else:
        from llamafarm.cli.terminal.console import open_console

        with open_console(stderr=True).status(f"Looking at {len(project.models)} models …"):
            found = asyncio.run(checks())
        _show(project, found)
    raise typer.Exit(0 if any(check.usable for check in found) else 1)


app.command("probe", epilog=EXAMPLE)(probe_models)


def _show(project: Project, checks: tuple[ModelCheck, ...]) -> None:
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core import display
    from llamafarm.core.characters import one_line

    signs = {"yes": ("✓", "green"), "no": ("✗", "red"), "unknown": ("?", "yellow")}
    keys = {"accepted": "green", "missing": "red", "refused": "red", "none": "dim", "unknown": "yellow"}
    table = plain_table("Model", "Usable", "Server", "Has it", "Key", "Took", "Found, and what to do")
    for check, model in zip(checks, project.models, strict=True):
        key = f"{check.key} ({model.key_variable})" if model.key_variable and check.key != "none" else check.key
        message = f"{check.message} {check.todo}" if not check.usable or check.found != "yes" else check.message
        table.add_row(
            one_line(check.model),
            _coloured(*signs["yes" if check.usable else "no"]),
            _coloured(*signs[check.server]),
            _coloured(*signs[check.found]),
            _coloured(one_line(key), keys[check.key]),
            display.seconds(check.seconds),
            one_line(message),
        )
    open_console().print(table)


def _coloured(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text, style=style)


def _entry(project: Project, model: NamedModel) -> dict[str, JsonValue]:
    """A named model: `key` is `none`, the variable that it comes from, or `in the file`; never the key itself."""
    return {
        "name": model.name,
        "default": model.name == project.default_model,
        "provider": model.provider,
        "model": model.model,
        "tier": model.tier,
        "description": model.description,
        "base_url": model.base_url and shown_address(model.base_url),
        "key": _key(model),
        "fallback": list(model.fallback),
        "usable": model.usable,
        "problems": [problem.message for problem in model.problems],
    }


def _checked(check: ModelCheck) -> dict[str, JsonValue]:
    """A check; the words are those of `ModelCheck`."""
    return {
        "name": check.model,
        "usable": check.usable,
        "server": check.server,
        "found": check.found,
        "key": check.key,
        "message": check.message,
        "todo": check.todo,
        "seconds": check.seconds,
    }


def _key(model: NamedModel) -> str:
    if model.key_variable:
        return f"${model.key_variable}" + ("" if model.api_key else " (not set)")
    return "in the file" if model.api_key else "none"
