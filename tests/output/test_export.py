"""Files that people and programs open: nothing is lost in JSON, nothing runs in a sheet, nothing escapes in Markdown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamafarm.core.events import Failed
from llamafarm.core.reply import Reply
from llamafarm.core.spreadsheets import inert
from llamafarm.core.types import Cost, Timings, ToolCall, Usage
from llamafarm.experiments.batch.run import Answered
from llamafarm.experiments.prompt_file.file import PromptFile
from llamafarm.experiments.prompt_file.row import Row
from llamafarm.experiments.stats.sample import Sample
from llamafarm.history.model import Asked, Ended, LaneSpec, ProjectRef, Recorded, Vote
from llamafarm.output import batch, jsonl, markdown, sheet
from tests.history.database.made import START, asked, ended
from tests.history.database.strategies import ASKED, REPLIES
from tests.output.tabled import written_as_csv, written_csv

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
FORMULAS = st.sampled_from(["", "'", "''", "=", "+", "-", "@", "\t", "\r", "\n", '"', ",", ";", "\0", "a"])


def recorded(*, text: str = "Grass.", **changes: object) -> Recorded:
    comparison = asked(models=("fast", "lost"))
    return Recorded(comparison, (ended(comparison, "fast", text, **changes),))


def rows_of(whole: Recorded) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written_csv(whole).decode(), newline="")))


# --- CSV


def test_csv_has_a_row_for_each_lane_and_for_those_that_never_ended() -> None:
    fast, lost = rows_of(recorded())
    assert (fast["lane"], fast["status"], fast["text"]) == ("fast", "done", "Grass.")
    assert (fast["cost_usd"], fast["cost_source"], fast["priced_on"]) == ("0.000123", "table", "2026-11-24")
    assert (fast["ttft_s"], fast["output_tokens"], fast["tokens_source"]) == ("0.25", "21", "estimated")
    assert (fast["started_at"], fast["project"]) == ("2026-11-24T12:00:00+00:00", "default/farm")
    assert (lost["lane"], lost["status"], lost["cost_usd"], lost["text"]) == ("lost", "unfinished", "", "")


def test_csv_leaves_what_is_unknown_empty() -> None:
    (row, _) = rows_of(recorded(cost=Cost(None, "unknown"), timings=Timings(), usage=Usage()))
    assert (row["cost_usd"], row["cost_source"], row["ttft_s"], row["output_tokens"]) == ("", "unknown", "", "")


@pytest.mark.parametrize("opening", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_holds_no_formula(opening: str) -> None:
    evil = f"{opening}HYPERLINK(1)"
    whole = recorded(text=evil, reasoning=evil, failure=Failed(at=0.0, kind="x", message=evil))
    whole = replace(whole, asked=replace(whole.asked, item=evil, project=ProjectRef(evil, evil)))
    for row in rows_of(whole):
        assert not [cell for cell in row.values() if cell and cell.startswith(opening)]
    assert rows_of(whole)[0]["text"] == f"'{evil}"


@given(ASKED, REPLIES, st.text())
def test_csv_is_one_table_whatever_is_in_it(comparison: Asked, reply: Reply, text: str) -> None:
    reply = replace(reply, text=text)
    whole = Recorded(comparison, (Ended("i", comparison.id, LaneSpec(reply.lane, "m"), {}, reply, START),))
    out = io.StringIO(written_csv(whole).decode(), newline="")
    table = list(csv.reader(out))
    assert {len(row) for row in table} == {len(sheet.COLUMNS)}
    assert len(table) == 2 + len(whole.unfinished)
    assert table[1][list(sheet.COLUMNS).index("text")] == inert(text.encode("utf-8", "replace").decode())


@given(REPLIES, TEXTS, st.tuples(FORMULAS, FORMULAS).map("".join))
def test_our_csv_is_read_back_as_it_was_written(reply: Reply, prompt: str, text: str) -> None:
    comparison = replace(asked(f"{prompt}?"), item="1 =id")
    whole = Ended("i", comparison.id, LaneSpec(reply.lane, "m"), {}, replace(reply, text=text), START)
    answered = Answered(1, Recorded(comparison, (whole,)), whole, Sample(1, 0, whole.reply))
    (row,) = batch.rows(answered)
    files = [("csv", written_as_csv(batch.LAYOUT, answered, excel=excel)) for excel in (False, True)]
    for form, data in (*files, ("jsonl", batch.json_line(row))):
        (found,) = PromptFile(Path(f"out.{form}"), data=data).rows()
        assert isinstance(found, Row), found
        assert (found.prompt, found.id, found.variables["text"]) == (f"{prompt}?", "=id", text)


@given(TEXTS)
def test_the_history_s_csv_is_read_back_as_it_was_written(text: str) -> None:
    whole = recorded(text=text, reasoning=text)
    data = written_csv(whole)
    found, _ = PromptFile(Path("out.csv"), data=data).rows()
    assert isinstance(found, Row), found
    assert (found.variables["text"], found.variables["reasoning"]) == (text, text)


def test_the_vote_stands_in_every_row() -> None:
    whole = recorded()
    best = replace(whole, vote=Vote("best", "fast", blind=True, voted_at=START))
    tie = replace(whole, vote=Vote("tie", None, blind=True, voted_at=START))
    assert [row["vote"] for row in rows_of(best)] == ["fast", "fast"]
    assert [row["vote"] for row in rows_of(tie)] == ["tie", "tie"]


# --- JSON Lines


@given(ASKED, st.lists(REPLIES, max_size=2, unique_by=lambda reply: reply.lane))
def test_json_lines_are_lines_of_json(comparison: Asked, replies: list[Reply]) -> None:
    ends = tuple(Ended("i", comparison.id, LaneSpec(reply.lane, "m"), {}, reply, START) for reply in replies)
    line = jsonl.line(Recorded(comparison, ends))
    assert len(line.encode("utf-8").decode("utf-8").splitlines()) == 1
    told = json.loads(line)
    assert [lane["text"] for lane in told["lanes"]] == [reply.text for reply in replies]
    assert told["messages"] == jsonl.comparison_object(Recorded(comparison))["messages"]


def test_a_json_line_tells_everything() -> None:
    whole = recorded(reasoning="Hm.", tool_calls=(ToolCall("1", "f", "{}"),))
    whole = replace(whole, vote=Vote("bad", None, blind=False, voted_at=START))
    told = json.loads(jsonl.line(whole))
    assert told["id"] == whole.asked.id
    assert told["project"] == {"namespace": "default", "name": "farm", "digest": "d" * 64}
    assert told["vote"] == {"choice": "bad", "lane": None, "blind": False, "voted_at": "2026-11-24T12:00:00+00:00"}
    assert [spec["id"] for spec in told["unfinished"]] == ["lost"]
    (lane,) = told["lanes"]
    assert lane["usage"]["output"] == {"value": 21, "source": "estimated"}
    assert lane["cost"] == {
        "usd": "0.000123", "source": "table", "detail": "per million; table genai-prices 0.2.3", "estimated": True,
        "priced_on": "2026-11-24",
    }  # fmt: skip
    assert (lane["reasoning"], lane["tool_calls"][0]["name"], lane["error"]) == ("Hm.", "f", None)


# --- Markdown


def test_markdown_shows_the_question_the_figures_and_the_answers() -> None:
    text = markdown.document(recorded())
    assert "## What do llamas eat?" in text
    assert "| fast | fast (openai fast-1) | done | 250 ms | 1.50 s |" in text
    assert r"| 8 | \~21 | \~$0.000123 | table |" in text
    assert "```\nGrass.\n```" in text
    assert "lost: never ended." in text


def test_an_answer_can_not_leave_its_fence() -> None:
    evil = "```\n# A headline\n````\n<script>"
    text = markdown.document(recorded(text=evil))
    assert f"`````\n{evil}\n`````" in text


def test_names_and_errors_have_no_meaning_to_markdown() -> None:
    failed = Failed(at=0.0, kind="x", message="a | b\n# c <img>")
    text = markdown.document(recorded(model="m*|*", failure=failed, status="failed"))
    assert r"m\*\|\*" in text
    assert r"Failed: a \| b \# c \<img\>" in text
