"""`lf learn`: what a router learns from comparisons or outcomes, and whether that is worth anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llamafarm.cli.asking.options import ConfigOption, JsonOption
from llamafarm.core import strict_json

if TYPE_CHECKING:
    from llamafarm.core.types import JsonValue
    from llamafarm.learning.evaluation.measures import Interval
    from llamafarm.learning.evaluation.outcomes import Outcome
    from llamafarm.learning.evaluation.trial import Outcomes, Result

HELP = """\b
Examples:
  lf learn
  lf learn --eval outcomes.jsonl
  lf learn --eval outcomes.jsonl --n 0,300,1000 --draws 10 --json
  lf learn --eval outcomes.jsonl --shuffle

A line of FILE is a prompt, with scores from 0 to 1 and costs in any one unit; answers of the cheapest may be there:
  {"prompt": "…", "scores": {"weak": 0, "strong": 1}, "cost": {"weak": 0.3, "strong": 6.0}, "answers": {"weak": "…"}}"""
SIZES = "0,300,1000"
TOLD = 12  # bad lines


def learn(
    file: Annotated[
        Path | None, typer.Option("--eval", metavar="FILE", help="Outcomes of your own or others, in JSON Lines.")
    ] = None,
    config: ConfigOption = None,
    sizes: Annotated[
        str, typer.Option("--n", metavar="NUMBERS", help="From how many prompts to learn, with commas.")
    ] = SIZES,
    draws: Annotated[int, typer.Option("--draws", metavar="COUNT", min=1, help="How often they are drawn.")] = 10,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, help="By which chance.")] = 0,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Give each prompt another's scores: then nothing may be found.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what your own comparisons have taught about routing, what is missing, and what to vote on next.

    With --eval the method is tried on outcomes that are known instead: it draws prompts to learn from, and tests on the
    rest. Nobody is asked, and nothing is kept.
    """
    if file is None:
        from llamafarm.cli.commands.learnt import show_state

        show_state(config, as_json=as_json)
        return
    from llamafarm.learning.evaluation.trial import Outcomes, evaluate

    wanted = _sizes(sizes)
    outcomes = Outcomes.of(_lines(file))
    if outcomes.left_out:
        typer.echo(f"lf: {outcomes.left_out:,} prompts are left out: a lane has no score there.", err=True)
    results = [
        evaluate(outcomes.shuffled(seed) if shuffle else outcomes, n, draws, seed) for n in _fit(wanted, outcomes)
    ]
    if as_json:
        record = {
            "rows": len(outcomes.prompts),
            "lanes": list(outcomes.lanes),
            "results": [_json(result) for result in results],
        }
        typer.echo(strict_json.dumps(record, indent=2))
    else:
        _print(outcomes, results)


def _sizes(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):  # noqa: PLR2004 - of digits
        raise typer.BadParameter(f"{text!r} is no list of numbers such as {SIZES}.", param_hint="--n")
    return list(dict.fromkeys(map(int, parts)))


def _fit(sizes: Sequence[int], outcomes: Outcomes) -> list[int]:
    """Those that leave prompts to test on; what is left out is told. All of them where none does, for the error."""
    rows = len(outcomes.prompts)
    left = [n for n in sizes if n < rows]
    for n in sizes if left else ():
        if n >= rows:
            typer.echo(f"lf: n = {n:,} is left out: the file has {rows:,} prompts, and some must be left.", err=True)
    return left or list(sizes)


def _lines(path: Path) -> list[Outcome]:
    """The outcomes of a file. Raises RequestError where it can't be read, or a line can't be used."""
    from llamafarm.core.errors import RequestError
    from llamafarm.experiments.prompt_file.text import lines, opened
    from llamafarm.learning.evaluation.outcomes import Bad, Outcome, read_lines

    good: list[Outcome] = []
    bad: list[Bad] = []
    try:
        with path.open("rb") as file, closing(opened(file)[0]) as text:
            for line in read_lines(lines(text)):
                if isinstance(line, Outcome):
                    good.append(line)
                else:
                    bad.append(line)
    except UnicodeError:
        raise RequestError(f"{path.name} can't be used: it ends within a letter.", hint="Save it as UTF-8.") from None
    except OSError as error:
        raise RequestError(f"{path} can't be read: {error.strerror}.") from None
    except RequestError as error:
        raise RequestError(f"{path.name}: {error.message}", hint=error.hint) from None
    if bad:
        for wrong in bad[:TOLD]:
            print(f"lf: {path.name}, {wrong}.", file=sys.stderr)  # noqa: T201 - a line each, before the error
        more = f", {len(bad) - TOLD:,} more than are named" if len(bad) > TOLD else ""
        raise RequestError(f"{path.name}: of {len(good) + len(bad):,} lines {len(bad):,} can't be used{more}.")
    if not good:
        raise RequestError(
            f"{path.name} has no line.", hint='Write {"prompt": "…", "scores": {…}, "cost": {…}} a line.'
        )
    return good


def _json(result: Result) -> dict[str, JsonValue]:
    return {
        "n": result.n,
        "draws": result.draws,
        "apgr": _interval(result.apgr),
        "area": _interval(result.area),
        "cascade_apgr": _interval(result.cascade_apgr),
        "baselines": {"constant": result.constant, "length": result.length, "random": result.random},
        "gate_live_share": result.gate_open_share,
        "loss_against_incumbent": result.loss,
        "ece": result.ece,
        "fit_s": result.fit_s,
        "suggest_ms_p95": result.suggest_p95_s * 1000,
    }


def _interval(found: Interval | None) -> JsonValue:
    return None if found is None else {"mean": found.mean, "low": found.low, "high": found.high}


def _print(outcomes: Outcomes, results: Sequence[Result]) -> None:
    from llamafarm.cli.terminal.console import open_console, plain_table
    from llamafarm.core.characters import one_line

    console = open_console()
    console.print(
        f"{len(outcomes.prompts):,} prompts, {len(outcomes.lanes)} lanes: {one_line(', '.join(outcomes.lanes))}"
    )
    table = plain_table("n", "APGR", "Length", "Area", "Cascade", "Gate open", "Loss", "ECE", "Fit", "Suggestion p95")
    for result in results:
        table.add_row(
            f"{result.n:,}",
            _told(result.apgr),
            "–" if result.length is None else f"{result.length:.2f}",
            _told(result.area),
            _told(result.cascade_apgr),
            f"{result.gate_open_share:.0%}",
            f"{result.loss:+.4f}",
            f"{result.ece:.3f}",
            f"{result.fit_s:.2f} s",
            f"{result.suggest_p95_s * 1000:.1f} ms",
        )
    console.print(table)
    console.print(
        "APGR: of the gap between a weak and a strong lane, what routing recovers; a coin 0.50. Area: of the gap "
        "between single lanes and an oracle. Cascade: APGR where the cheap answer is looked at first. Loss: the "
        "incumbent's score less the router's. In brackets 95 % over draws. See docs/routing.md."
    )


def _told(found: Interval | None) -> str:
    return "–" if found is None else f"{found.mean:.2f} [{found.low:.2f}–{found.high:.2f}]"
