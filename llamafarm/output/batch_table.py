"""What the models of a batch came to, in words: the same in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from llamafarm.core import display
from llamafarm.experiments.stats.tally import Sum, Tally, all_cautions, count_notes, late_note


def figures_of(tally: Tally) -> dict[str, str]:
    """The figures of a model as people read them."""
    ttft, total = tally.ttft_s, tally.total_s
    return {
        "Answers": f"{tally.answered:,} of {tally.asked:,}",
        "Failed": f"{tally.failed:,}" if tally.failed else display.NOTHING,
        "Stand-ins": f"{tally.stood_in:,}" if tally.stood_in else display.NOTHING,
        "Cut": f"{tally.cut:,}" if tally.cut else display.NOTHING,
        "Retried": f"{tally.retried:,}" if tally.retried else display.NOTHING,
        "Lost": display.seconds(tally.lost_s) if tally.lost_s else display.NOTHING,
        "Pass rate": display.interval(tally.pass_rate, display.share),
        "Not told": f"{tally.unchecked:,}" if tally.unchecked else display.NOTHING,
        "TTFT p50": display.seconds(ttft.median.value if ttft else None),
        "TTFT p95": display.seconds(ttft.p95 if ttft else None),
        "Total p50": display.seconds(total.median.value if total else None),
        "Total p95": display.seconds(total.p95 if total else None),
        "In": _tokens(tally.given),
        "Out": _tokens(tally.made),
        "Cost": display.money(tally.costs.money) if tally.asked else display.NOTHING,
        "Warming": display.money(tally.warmups.money) if tally.warmups.sources.total() else display.NOTHING,
        "Source": ", ".join(source for source, count in tally.costs.sources.items() if count) or display.NOTHING,
    }


def _tokens(found: Sum) -> str:
    told = display.tokens(found.count)
    return f"{told} + {found.unknown:,} unknown" if found.unknown and found.known else told


def notes(tallies: Mapping[str, Tally], at_once: int) -> list[str]:
    """What the table's figures rest on."""
    told = []
    if any(tally.pass_rate for tally in tallies.values()):
        told.append("In brackets: Wilson's 95 % interval of the share of answers that passed all their checks.")
    answered = sum(tally.answered for tally in tallies.values())
    if shared := sum(tally.shared for tally in tallies.values()):
        most = f" (up to {at_once} at once)" if at_once > 1 else ""
        told.append(
            f"{shared:,} of {answered:,} answers shared a server with other requests{most}, which slow each other: "
            "one at a time, warmed, gives times to compare."
        )
    told += count_notes(
        sum(tally.waited for tally in tallies.values()),
        sum(tally.doubted for tally in tallies.values()),
        all_cautions(tally.cautions for tally in tallies.values()),
    )
    if late := late_note(sum(tally.late for tally in tallies.values()), answered):
        told.append(late)
    if any(tally.ttft_s and tally.ttft_s.median.n < tally.answered for tally in tallies.values()):
        told.append("Times leave out answers after a failed try or with the loading of a model in them.")
    if lost := sum(tally.lost_s for tally in tallies.values()):
        told.append(
            f"Lost: {display.seconds(lost)} in all went to failed tries and the pauses after them, to kept connections "
            "that were closed, and to models that failed before; it is in no time here."
        )
    for model, tally in tallies.items():
        if tally.faults:
            kinds = ", ".join(f"{count:,} × {kind}" for kind, count in tally.faults.most_common())
            told.append(f"{model} failed: {kinds}.")
    return told
