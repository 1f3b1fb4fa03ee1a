"""Where a temperature stands among the documentation's guidelines. Pure."""

from __future__ import annotations

from llamafarm.experiments.stats.guidelines import GUIDELINES, suits
from llamafarm.ui.parts.markup import Markup, tag

TOP = 2.0


def scale(temperature: float | None) -> Markup:
    """The guidelines as bars over 0 to 2, with a mark at `temperature`; None marks nothing."""
    tasks = suits(temperature) if temperature is not None else ()
    rows = (
        tag(
            "div",
            tag("span", guide.task, class_="lf-task"),
            tag(
                "span",
                tag("i", style=f"left:{_percent(guide.low)};width:{_percent(guide.high - guide.low)}"),
                class_="lf-track",
            ),
            tag("span", f"{guide.low}–{guide.high}", class_="lf-range"),
            class_="lf-guide lf-on" if guide.task in tasks else "lf-guide",
        )
        for guide in GUIDELINES
    )
    if temperature is None:
        words = "No temperature is sent: the server uses its own."
    elif tasks:
        words = f"{temperature:g} suits: {', '.join(tasks)}."
    else:
        words = f"{temperature:g} is outside the ranges of the guidelines."
    mark = None if temperature is None else f"--mark:{_percent(temperature)}"
    return tag("div", tag("p", words), *rows, class_="lf-scale" if mark else "lf-scale lf-unset", style=mark)


def _percent(value: float) -> str:
    return f"{min(max(value, 0.0), TOP) / TOP * 100:g}%"
