"""`lf replay`: the dial between quality and cost, tried on what was compared before."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.find import project_of, project_or_sample
from llamafarm.cli.asking.options import ConfigOption, JsonOption
from llamafarm.cli.commands.history.kept import using
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.config.model import Project
    from llamafarm.experiments.learnt.dialled import Dialled, Position
    from llamafarm.history.database.history import History

HELP = """\b
Examples:
  lf replay
  lf replay --budget 50
  lf replay --per-dollar 20 --json"""


def replay(
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="DOLLARS", min=0, help="What 10,000 answers may cost.")
    ] = None,
    per_dollar: Annotated[
        float | None,
        typer.Option(
            "--per-dollar", metavar="QUALITY", min=0, help="The quality, 0 to 1, that a dollar an answer is worth."
        ),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay your judged comparisons with the learnt router: what they would have cost and won, at each price.

    Each comparison is routed by all the others. Nobody is asked. Without an option the project's own dial is replayed.
    """
    if budget is not None and per_dollar is not None:
        raise typer.BadParameter("A budget sets the price: leave one out.", param_hint="--per-dollar")
    project = project_of(project_or_sample(config))
    found = using(lambda kept: _replayed(kept, project, budget, per_dollar))
    if as_json:
        typer.echo(strict_json.dumps(None if found is None else _object(found), indent=2))
    elif found is None:
        typer.echo("There is nothing to replay: no comparison of two models has a vote or checks. lf learn says more.")
    else:
        _print(found, budget)


async def _replayed(kept: History, project: Project, budget: float | None, per_dollar: float | None) -> Dialled | None:
    import asyncio

    from llamafarm.experiments.learnt.dialled import dialled
    from llamafarm.runtime.learner import learnt_of

    learnt = await learnt_of(kept, project)
    return await asyncio.to_thread(dialled, learnt, budget, per_dollar)


def _object(found: Dialled) -> object:
    return {
        "budget_met": found.met,
        "unpriced": list(found.unpriced),
        "chosen": _position(found.chosen),
        "best": _position(found.best),
        "frontier": [_position(each) for each in found.frontier],
    }


def _position(at: Position) -> object:
    told = asdict(at)
    dial = told.pop("dial")
    examples = [dict(zip(("prompt", "from", "to"), each, strict=True)) for each in told.pop("examples")]
    return {"per_dollar": dial["per_cost"], "per_second": dial["per_second"], **told, "examples": examples}


def _print(found: Dialled, budget: float | None) -> None:
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    console, at = open_console(), found.chosen
    if not found.met:
        wanted = "The project's budget" if budget is None else f"${budget:,.2f}"
        console.print(f"{wanted} can't be kept: the cheapest model alone costs ${at.usd:,.2f} for 10,000 answers.")
    for name in found.unpriced:
        console.print(one_line(f"What {name} costs is not known: at a price of cost it is never chosen."))
    table = plain_table("", "Quality a dollar", "10,000 answers", "Won", "Expected", "Judged", "Elsewhere", "Shares")
    for mark, each in (("chosen", at), ("best", found.best), *(("", one) for one in found.frontier)):
        shares = ", ".join(f"{name} {share:.0%}" for name, share in each.shares.items() if share)
        won = "–" if each.score is None else f"{each.score:.2f}"
        table.add_row(
            mark, f"{each.dial.per_cost:,.4g}", f"${each.usd:,.2f}", won, f"{each.expected:.2f}",
            f"{each.known} of {each.all}", f"{each.changed}", one_line(shares),
        )  # fmt: skip
    console.print(table)
    for prompt, before, after in at.examples:
        text = one_line(f"  {before} → {after}: {prompt}")
        console.print(text, overflow="ellipsis", no_wrap=True)
    console.print(
        "Won: the mean score of the answers that were judged. Elsewhere: prompts that the best would send on."
    )
