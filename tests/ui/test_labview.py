"""What a sweep found as HTML: every figure is there, and nothing of an answer steers the page."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal

from llamafarm.core.conditions import Sharing, WarmUp
from llamafarm.core.figures import Estimate, Progress
from llamafarm.core.types import Cost, Timings
from llamafarm.experiments.stats.recommend import Recommendation
from llamafarm.experiments.stats.summary import Summary, summary
from llamafarm.experiments.sweep.findings import Cell
from llamafarm.experiments.sweep.grid import Grid, Prompt
from llamafarm.experiments.sweep.plan import Plan
from llamafarm.ui.lab.view import findings_view, patch_view, plan_view, progress_view
from tests.engine.fakes import model
from tests.experiments.stats.samples import judged, samples

EVIL = '<img src=x onerror="alert(1)">'


def found(*values: float | str) -> tuple[Grid, dict[Cell, Summary]]:
    grid = Grid((model("m"),), "temperature", values, 3, (Prompt(f"Why {EVIL}?"),))
    cells = {("m", at): summary(samples(["a b", f"a {at}", EVIL], passed=True), 1) for at in range(len(values))}
    return grid, cells


def test_every_cell_is_shown_with_its_interval_and_answers() -> None:
    grid, cells = found(0, 0.5)
    shown = findings_view(grid, cells, {})
    assert "shared" not in shown
    page = ET.fromstring(shown)  # noqa: S314 - our own
    assert [cell.text for cell in page.findall(".//table/tr[1]/th")] == ["Measure", "Model", "0", "0.5"]
    rows = {
        row[0].text: ["".join(cell.itertext()) for cell in row.findall("td")] for row in page.findall(".//table/tr")[1:]
    }
    assert rows["Agreement"][0].startswith("0.33 [")
    assert rows["Checks passed"][1].startswith("1.00 [0.44, 1.00]")
    assert rows["Answers"] == ["3 of 3", "3 of 3"]
    assert rows["Cost"] == ["$0.00300", "$0.00300"]
    assert "Judge's cost" not in rows
    assert len(page.findall(".//svg//polyline")) == 2
    assert "1 × a b" in shown
    assert "<img" not in shown


def test_what_is_wrong_with_its_times_is_told() -> None:
    grid, cells = found(0)
    warmup = WarmUp("m", 1.0, cost=Cost(Decimal("0.002"), "config"))
    told = [
        replace(
            each, reply=replace(each.reply, sharing=Sharing("http://gpu:1", at), warmup=warmup if at == 0 else None)
        )
        for at, each in enumerate(samples(["a", "b", "c"]))
    ]
    cold = replace(told[2], reply=replace(told[2].reply, timings=Timings(load_s=2.0, ttft_s=2.1)))
    cells["m", 0] = summary([*told[:2], cold], 1)
    shown = findings_view(grid, cells, {})
    assert "2 of 3 answers shared a server" in shown
    assert "1 of 3 answers had their model loaded first" in shown
    page = ET.fromstring(shown)  # noqa: S314 - our own
    rows = {row[0].text: [cell.text for cell in row.findall("td")] for row in page.findall(".//table/tr")[1:]}
    assert rows["Warming's cost"] == ["$0.00200"]
    assert rows["Cost"] == ["$0.00300"]


def test_models_stand_under_each_other_by_measure_on_one_scale() -> None:
    grid = Grid((model("a"), model("b")), "temperature", (0,), 3, (Prompt("Why?"),))
    cells = {
        ("a", 0): summary(samples(["x", "x", "x"]), 1),
        ("b", 0): summary(samples(["x", "y", "z"]), 1),
    }
    page = ET.fromstring(findings_view(grid, cells, {}))  # noqa: S314 - our own
    rows = page.findall(".//table/tr")
    at = next(number for number, row in enumerate(rows) if row[0].text == "Agreement")
    assert rows[at][0].get("rowspan") == "2"
    assert [row.findall("th")[-1].text for row in rows[at : at + 2]] == ["a", "b"]
    assert [row.findall("td")[0].get("style") for row in rows[at : at + 2]] == ["--heat:45%", "--heat:0%"]


def test_a_judges_cost_has_a_row_of_its_own() -> None:
    grid, cells = found(0, 1)
    cells["m", 1] = summary(samples(["a"], judged=judged(0.5)), 1)
    assert "Judge&#x27;s cost" in findings_view(grid, cells, {})


def test_words_have_no_curve_and_half_a_sweep_is_shown() -> None:
    grid, cells = found("low", "high")
    del cells["m", 1]
    shown = findings_view(grid, cells, {})
    assert "<svg" not in shown
    assert "–" in shown
    assert findings_view(grid, {}, {}) == ""


def test_a_recommendation_says_how_sure_it_is() -> None:
    grid, cells = found(0, 1)
    sure = Recommendation("clear", 0.0, "agreement", Estimate(0.9, 0.8, 1.0, 9), (), "Highest.")
    assert "m: temperature 0, agreement 0.90 [0.80, 1.00]." in findings_view(grid, cells, {"m": sure})
    none = Recommendation("too few", None, "", None, (), "Too few repeats to tell.")
    assert "no recommendation" in findings_view(grid, cells, {"m": none})


def test_a_plan_says_what_is_unknown() -> None:
    plan = Plan(6, 6, 100, None, None, ("m",), ("m",), {}, (EVIL,))
    shown = plan_view(plan)
    assert "6 calls and 6 of the judge" in shown
    assert "cost unknown (for m)" in shown
    assert "<img" not in shown
    free = plan_view(Plan(6, 0, 100, 60, Decimal(0), (), (), {}, ()))
    assert "at most 60 out · cost nothing" in free


def test_progress_is_a_bar_with_words() -> None:
    grid, _ = found(0)
    shown = progress_view(grid, Progress(2, 3, 1, 0, 4.0, 0.5, 2.0), [])
    assert 'value="2" max="3"' in shown
    assert "2 of 3 · 1 failed · 0.5 a second · 2.00 s left" in shown
    early = progress_view(grid, Progress(0, 3, 0, 0, 0.1, None, None), [])
    assert "left" not in early


def test_a_change_is_coloured_by_line() -> None:
    shown = patch_view("--- a\n-x: 1\n+x: <b>\n y\n", "Not trusted.")
    assert '<span class="lf-added">+x: &lt;b&gt;\n</span>' in shown
    assert "Not trusted." in shown
    assert patch_view("", "") == ""
