"""The Routing page's parts as markup. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llamafarm.core.characters import excerpt
from llamafarm.ui.history.list import link
from llamafarm.ui.parts.markup import Markup, join, tag

if TYPE_CHECKING:
    from llamafarm.experiments.learnt.dialled import Dialled, Position
    from llamafarm.experiments.learnt.gathered import Waiting
    from llamafarm.experiments.learnt.state import State
    from llamafarm.learning.meter import Mean, Window

PROMPT = 120  # letters of a prompt in a list
WIDTH, HEIGHT, MARGIN = 320, 120, 14  # of the frontier's drawing, in its own units


def nothing_view() -> Markup:
    """Where nothing was judged."""
    text = (
        "No evidence yet: vote on comparisons, or ask a batch with checks. From 30 on this page has something to tell."
    )
    return tag("section", tag("h2", "Evidence"), tag("p", text), class_="lf-card")


def state_view(state: State) -> Markup:
    """What there is, what is missing, and how each model stands."""
    counts = (
        f"{state.comparisons} comparisons teach ({state.votes} with votes, {state.blind_votes} of them blind; "
        f"{state.checks} with checks). The gate is {'open' if state.open else 'shut'}: routing each by all others "
        f"would have gained {state.gain:+.3f} ± {state.error:.3f} a prompt."
    )
    missing = tag("ul", *(tag("li", line) for line in state.missing)) if state.missing else None
    rows = (
        (
            each.model,
            str(each.labels),
            f"{each.mean:.2f}",
            "unknown" if each.usd is None else f"${each.usd:.6f}",
            " ".join([*(["best on average"] if each.model == state.incumbent else []), *(["new"] if each.new else [])]),
        )
        for each in state.standings
    )
    head = ("Model", "Labels", "Mean", "An answer", "")
    return tag("section", tag("h2", "Evidence"), tag("p", counts), missing, _table(head, rows), class_="lf-card")


def dialled_view(found: Dialled | None) -> Markup:
    """The history at one position of the dial, and the frontier."""
    if found is None:
        return tag("p", "There is nothing to replay yet.")
    at = found.chosen
    won = "none of them was judged" if at.score is None else f"those judged got {at.score:.2f} on average"
    text = (
        f"10,000 answers would have cost ${at.usd:,.2f}; {won} ({at.known} of {at.all} are known; expected of all: "
        f"{at.expected:.2f}). {at.changed} prompts would go elsewhere than at the best."
    )
    shares = ", ".join(f"{name} {share:.0%}" for name, share in at.shares.items() if share)
    moved = [tag("li", f"{before} → {after}: {excerpt(prompt, PROMPT)}") for prompt, before, after in at.examples]
    return join(
        tag("p", text, class_="lf-dialled"), tag("p", shares), _frontier(found), tag("ul", *moved) if moved else None
    )


def _frontier(found: Dialled) -> Markup:
    points = [found.best, *found.frontier]
    top = max((each.usd for each in points), default=0.0) or 1.0
    low, high = min(each.expected for each in points), max(each.expected for each in points)

    def place(each: Position) -> tuple[str, str]:
        x = MARGIN + each.usd / top * (WIDTH - 2 * MARGIN)
        share = (each.expected - low) / (high - low) if high > low else 0.5
        return f"{x:.1f}", f"{HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN):.1f}"

    dots = [tag("circle", cx=place(each)[0], cy=place(each)[1], r="2.5", fill="currentColor") for each in points]
    x, y = place(found.chosen)
    chosen = tag("circle", cx=x, cy=y, r="6", fill="none", stroke="currentColor", stroke_width="2")
    label = f"Expected quality from {low:.2f} to {high:.2f} over cost from $0 to ${top:,.2f} for 10,000 answers"
    return tag(
        "svg", *dots, chosen, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label, width=str(WIDTH),
        style="max-width:100%",
    )  # fmt: skip


def next_view(following: Sequence[Waiting]) -> Markup:
    """The comparisons to vote on next, the most telling first, each with its link."""
    if not following:
        body = tag("p", "No comparison waits for a vote.")
    else:
        anchors = (
            tag("a", excerpt(each.prompt, PROMPT), href=link(each.id), data_comparison=each.id) for each in following
        )
        body = tag("ol", *(tag("li", each) for each in anchors))
    return tag("section", tag("h2", "Vote on these next"), body, class_="lf-card")


def regret_view(windows: Sequence[Window]) -> Markup:
    """Each strategy by week."""
    if not windows:
        body = tag("p", "Nothing that was suggested has been judged yet.")
    else:
        head = ("Strategy", "Week to", "Regret", "Ahead of the best on average", "Covered")
        rows = (
            (
                each.strategy.replace("_", " "),
                f"{each.ends:%Y-%m-%d}",
                _mean(each.regret),
                _mean(each.ahead),
                f"{each.covered} of {each.suggested}",
            )
            for each in windows
        )
        note = "Covered: suggestions whose model was asked and judged. Of the others nothing is known."
        body = join(_table(head, rows), tag("p", note, class_="lf-sub"))
    return tag("section", tag("h2", "Regret of what was suggested"), body, class_="lf-card")


def _mean(found: Mean | None) -> str:
    if found is None:
        return "–"
    return f"{found.value:.2f}" + ("" if found.low is None else f" [{found.low:.2f}–{found.high:.2f}]")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    cells = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    body = tag("table", tag("thead", tag("tr", *(tag("th", each) for each in head))), tag("tbody", *cells))
    return tag("div", body, class_="lf-scroll")
