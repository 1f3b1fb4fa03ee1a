"""`lf history`: what was asked and answered before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from llamafarm.cli.asking.once import Commands
from llamafarm.cli.asking.options import ExcelOption
from llamafarm.cli.commands.history.kept import using
from llamafarm.cli.commands.history.runs import runs
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.history.database.history import History
    from llamafarm.history.query import Filter

history = Commands(
    name="history",
    help="Find, show, compare, export, rerun and delete what was asked before.",
    epilog="LF_DATABASE_URL names another database than the file in your data folder; `off` keeps nothing.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def since(text: str) -> datetime:
    """A day, or a moment of it, in this machine's time zone."""
    from llamafarm.history.query import since_of

    return _date(text, since_of)


def until(text: str) -> datetime:
    """The same; a day counts to its end."""
    from llamafarm.history.query import until_of

    return _date(text, until_of)


def _date(text: str, read: Callable[[str], datetime]) -> datetime:
    from llamafarm.core.errors import RequestError

    try:
        return read(text)
    except RequestError as error:
        raise typer.BadParameter(error.message) from None


Project = Annotated[str | None, typer.Option("--project", help="Only of this project: namespace/name, or a name.")]
Model = Annotated[str | None, typer.Option("--model", help="Only with this named model, or a provider's model id.")]
KindOf = Annotated[
    Literal["compare", "sweep", "batch", "chat"] | None, typer.Option("--kind", help="Only of this kind.")
]
Since = Annotated[datetime | None, typer.Option(parser=since, metavar="DATE", help="From this day or moment on.")]
Until = Annotated[datetime | None, typer.Option(parser=until, metavar="DATE", help="Until this day or moment.")]
InRun = Annotated[str | None, typer.Option("--run", help="The comparisons of this sweep or batch.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
Identity = Annotated[str, typer.Argument(metavar="ID", help="The id of a comparison, or how it begins.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")]
OlderThan = Annotated[str | None, typer.Option(metavar="ID", help="List those before this one.")]


history.command(epilog="Example: lf history runs --kind batch")(runs)


@history.command("list", epilog="Example: lf history list --model fast --since 2026-11-01")
def list_(
    project: Project = None,
    model: Model = None,
    kind: KindOf = None,
    since: Since = None,
    until: Until = None,
    run: InRun = None,
    limit: Limit = 20,
    older_than: OlderThan = None,
    as_json: AsJson = False,
) -> None:
    """List comparisons, newest first."""
    _list(_filter(None, project, model, kind, since, until, run), limit, older_than, as_json=as_json)


@history.command(epilog='Example: lf history search "llamas grass" --project default/farm')
def search(
    words: Annotated[list[str], typer.Argument(help="Words that must all occur; the beginning of a word will do.")],
    project: Project = None,
    model: Model = None,
    kind: KindOf = None,
    since: Since = None,
    until: Until = None,
    run: InRun = None,
    limit: Limit = 20,
    older_than: OlderThan = None,
    as_json: AsJson = False,
) -> None:
    """Find comparisons by what was asked or answered."""
    _list(_filter(" ".join(words), project, model, kind, since, until, run), limit, older_than, as_json=as_json)


@history.command(epilog="Example: lf history show 01jd4x")
def show(identity: Identity, as_json: AsJson = False) -> None:
    """Show a comparison as it was; with --json also the exact requests."""
    from llamafarm.cli.commands.history.show import show_comparison
    from llamafarm.output.jsonl import comparison_object

    recorded = using(lambda kept: kept.open(identity))
    if as_json:
        typer.echo(strict_json.dumps(comparison_object(recorded), indent=2, default=dict))
    else:
        show_comparison(recorded)


@history.command(epilog="Example: lf history diff 01jd4x 01jd52")
def diff(first: Identity, second: Identity, as_json: AsJson = False) -> None:
    """Show how the second comparison differs from the first: exit 0 if only figures do, 1 if more does."""
    from llamafarm.cli.commands.history.show import show_difference
    from llamafarm.history.diff import difference

    async def both(kept: History) -> Any:
        return await kept.open(first), await kept.open(second)

    found = difference(*using(both))
    if as_json:
        from dataclasses import asdict

        typer.echo(strict_json.dumps({"same": found.same, **asdict(found)}, indent=2))
    else:
        show_difference(found)
    raise typer.Exit(0 if found.same else 1)


@history.command(epilog="Example: lf history vote 01jd4x --best fast")
def vote(
    identity: Identity,
    best: Annotated[str | None, typer.Option(metavar="LANE", help="This lane's answer is the best.")] = None,
    tie: Annotated[bool, typer.Option("--tie", help="None is better than the others.")] = False,
    bad: Annotated[bool, typer.Option("--bad", help="All are bad.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take the vote back.")] = False,
) -> None:
    """Judge a comparison; a new vote takes the place of the last."""
    from datetime import UTC

    from llamafarm.history.model import Vote

    if sum((best is not None, tie, bad, clear)) != 1:
        raise typer.BadParameter("Give one of --best LANE, --tie, --bad and --clear.")
    now = datetime.now(UTC)
    choice = None if clear else Vote("tie" if tie else "bad" if bad else "best", best, blind=False, voted_at=now)
    using(lambda kept: kept.vote(identity, choice))


@history.command(epilog="Example: lf history delete 01jd4x --yes")
def delete(
    identities: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or how they begin.")] = None,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="A sweep or batch, with all of its comparisons.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete comparisons for good."""
    if not identities and not run:
        raise typer.BadParameter("Name a comparison, or a run with --run.")

    async def whole_ids(kept: History) -> list[str]:
        return [await kept.identify(each) for each in identities or ()]

    async def remove(kept: History) -> None:
        await kept.delete(ids)
        if run:
            await kept.delete_run(run)

    ids = using(whole_ids)
    counted = f"{len(ids)} comparison{'s' if len(ids) > 1 else ''}"
    what = " and ".join([*([counted] if ids else ()), *([f"the run {run}"] if run else ())])
    if not yes:
        typer.confirm(f"Delete {what} for good?", abort=True)
    using(remove)
    typer.echo(f"Deleted: {what}.")


@history.command(epilog="Example: lf history export --since 2026-11-01 --format csv --output november.csv")
def export(
    identities: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, or how they begin; else what the options find.")
    ] = None,
    form: Annotated[
        Literal["csv", "jsonl", "markdown", "parquet"], typer.Option("--format", "-f", help="What to write.")
    ] = "jsonl",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else the terminal.")] = None,
    excel: ExcelOption = False,
    text: Annotated[str | None, typer.Option(help="Only with these words.")] = None,
    project: Project = None,
    model: Model = None,
    kind: KindOf = None,
    since: Since = None,
    until: Until = None,
    run: InRun = None,
) -> None:
    """Write comparisons to a file, newest first: one row a lane (csv, parquet), or one object a line (jsonl)."""
    from llamafarm.cli.commands.history.export import write
    from llamafarm.cli.terminal.output import check_output
    from llamafarm.output.tables import check_form

    check_output(output, (), "--output")
    if excel and form != "csv":
        raise typer.BadParameter("Excel reads CSV: --format csv.", param_hint="--excel")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is nothing to read: name a file.", param_hint="--output")
    check_form(form)
    wanted = _filter(text, project, model, kind, since, until, run)
    using(lambda kept: write(kept, identities or [], wanted, form, output, excel=excel))


@history.command(epilog="Example: lf history rerun 01jd4x --config llamafarm.yaml")
def rerun(
    identity: Identity,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The project file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the same again, with the project as it is now: exit 0 if at least one answered, 1 if none did."""
    from llamafarm.cli.commands.history.rerun import ask_again

    ask_again(using(lambda kept: kept.open(identity)), config, as_json=as_json)


def _filter(
    text: str | None, project: str | None, model: str | None, kind: Any, since: Any, until: Any, run: str | None
) -> Filter:
    from llamafarm.history.query import Filter

    return Filter(text=text, project=project, model=model, kind=kind, since=since, until=until, run=run)


def _list(wanted: Filter, limit: int, older_than: str | None, *, as_json: bool) -> None:
    from llamafarm.cli.commands.history.show import show_list
    from llamafarm.output.jsonl import brief_object

    found = using(lambda kept: kept.find(wanted, older_than=older_than, limit=limit))
    if as_json:
        told = {"comparisons": [brief_object(item) for item in found.items], "older": found.older}
        typer.echo(strict_json.dumps(told, indent=2))
    else:
        show_list(found)
