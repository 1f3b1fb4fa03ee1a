"""The batch tab's job, its file and its views, without a browser."""

from __future__ import annotations

import base64
import gc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llamafarm.core.conditions import Sharing
from llamafarm.core.errors import RequestError
from llamafarm.core.figures import Progress
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Count, Timings, Usage
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.form import ENDINGS
from llamafarm.experiments.prompt_file.row import Row
from llamafarm.experiments.stats.sample import Sample
from llamafarm.experiments.stats.tally import Tally
from llamafarm.history.model import ProjectRef, Run
from llamafarm.ui.batch.job import Inputs
from llamafarm.ui.batch.view import batch_progress, choices, chosen_view, results_view
from llamafarm.ui.parts import prompt_files
from llamafarm.ui.parts.prompt_files import Files, Prompts, uploaded_bytes
from tests.engine.fakes import model


def inputs(**changes: Any) -> Inputs:
    whole: dict[str, Any] = {
        "pasted": "", "template": " ", "checks": "json\n\ncontains:x", "max_tokens": 9, "at_once": 3,
        "skip_bad": True, "fair": False, "earlier": "", "variables": "who=me",
    }  # fmt: skip
    return Inputs(**(whole | changes))


def test_the_controls_are_a_job(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path / "x", "mine.csv", 3)
    job = inputs().job([model("m")], prompts)
    assert (job.file.title, job.file.template, dict(job.file.variables)) == ("mine.csv", None, {"who": "me"})
    assert list(job.file.checks) == ["json", "contains:x"]
    assert (dict(job.parameters), job.skip_bad) == ({"max_tokens": 9}, True)
    assert not job.fair
    assert inputs(fair=True).job([model("m")], prompts).fair
    assert inputs().calls_at_once == 3
    assert inputs(at_once=None).calls_at_once == 8


@pytest.mark.parametrize("changes", [{"max_tokens": 0.5}, {"checks": "python:x"}])
def test_controls_that_are_no_job_are_told(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        inputs(**changes).job([model("m")], Prompts(tmp_path / "x", "x", 0))
    with pytest.raises(RequestError, match="at least one model"):
        inputs().job([], Prompts(tmp_path / "x", "x", 0))
    with pytest.raises(RequestError, match="1 to 64"):
        _ = inputs(at_once=65).calls_at_once


def test_a_browsers_file_is_data_and_never_a_path() -> None:
    data = base64.b64encode(b"prompt\nHi\n").decode()
    assert uploaded_bytes({"name": "../../etc/passwd\n", "data": data}) == ("passwd", b"prompt\nHi\n")
    assert uploaded_bytes({"data": ""}) == ("prompts", b"")
    for upload in ({}, {"refused": "no"}, {"path": "/etc/passwd"}, {"data": "not base64!"}, {"data": "é"}):
        with pytest.raises(RequestError):
            uploaded_bytes(upload)


def test_files_are_bounded_and_go_when_nobody_needs_them() -> None:
    files = Files()
    path = files.keep(b"prompt\nHi\n")
    folder = path.parent
    assert path.read_bytes() == b"prompt\nHi\n"
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(RequestError, match="4 MiB"):
        files.keep(b"x" * (4 * 1024 * 1024 + 1))
    prompts = Prompts(path, "x", 1)
    del prompts
    gc.collect()
    assert not path.exists()
    del files
    gc.collect()
    assert not folder.exists()


def tally(**changes: Any) -> Tally:
    whole: dict[str, Any] = {
        "status": "done",
        "usage": Usage(Count(10, "reported"), Count(20, "estimated")),
        "timings": Timings(ttft_s=0.25, total_s=1.5),
        "cost": Cost(Decimal("0.004"), "table", estimated=True),
    } | changes
    found = Tally()
    reply = Reply(lane="<b>", asked="m", model="m", provider="openai", model_id="x", **whole)
    found.add(Sample(1, 0, reply, passed=True))
    return found


def test_the_table_has_figures_with_their_marks_and_escapes_names() -> None:
    view = results_view({"<i>m</i>": tally(), "n": Tally()}, 8, "run1", ended=True)
    assert "&lt;i&gt;m&lt;/i&gt;" in view
    assert "<td>1.00</td>" in view  # of one answer there is no interval
    assert "<td>250 ms</td>" in view
    assert "<td>~20</td>" in view
    assert "<td>~$0.00400</td>" in view
    assert 'href="batches/run1.csv"' in view
    assert 'href="report/run1"' in view
    assert "shared a server" not in view
    shared = results_view({"m": tally(sharing=Sharing("http://gpu:1", 7))}, 8, "run1", ended=True)
    assert "1 of 1 answers shared a server with other requests (up to 8 at once)" in shared
    assert "href" not in results_view({"m": tally()}, 1, None, ended=True)
    assert "href" not in results_view({"m": tally()}, 1, "run1", ended=False)
    unknown = results_view({"m": tally(cost=Cost(None, "unknown"), usage=Usage())}, 1, None, ended=False)
    assert "<td>unknown</td>" in unknown
    assert "$0" not in unknown


def test_progress_and_choices_are_told_in_words() -> None:
    progress = Progress(done=3, total=9, failed=1, resumed=2, elapsed_s=1, per_s=2.5, left_s=4)
    reply = Reply(lane="m", asked="m", model="m", provider="openai", model_id="x", status="done", text="<script>")
    view = batch_progress(progress, [(Row(1, 2, "q", "Hi"), reply)])
    assert "3 of 9 · 2 of them from before · 1 failed · 2.5 a second · 4.00 s left" in view
    assert "1 q · m: " in view
    assert "&lt;script&gt;" in view
    started = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
    run = Run("id1", "batch", "p.csv: 3 rows", started, ProjectRef("n", "p"))
    assert choices([run]) == [
        ("a new batch", ""),
        ("2026-11-24 12:30 · p.csv: 3 rows · not finished", "id1"),
    ]
    assert "a&amp;b.csv · 2 kB" in chosen_view("a&b.csv", 1025)


def test_the_browser_offers_every_form_that_is_read() -> None:
    script = (Path(prompt_files.__file__).parents[1] / "assets" / "prompts.js").read_text()
    offered = script.partition('lfChoose("')[2].partition('"')[0].split(",")
    assert sorted(offered) == sorted(ENDINGS)


def test_a_file_of_the_browser_is_read_by_its_own_name(tmp_path: Path) -> None:
    """On the disk it has one of ours, which says nothing."""
    path = tmp_path / "0sgq1pj5w5"
    path.write_bytes('prompt,x\n{"a": 1}\n'.encode("utf-16"))
    for name, prompts in (("questions.txt", ["prompt,x", '{"a": 1}']), ("questions.csv", ['{"a": 1}'])):
        rows = PromptFile(path, name=name).rows()
        assert [row.prompt for row in rows if isinstance(row, Row)] == prompts
