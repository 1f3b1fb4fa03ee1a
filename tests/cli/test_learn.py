"""`lf learn --eval`: outcomes of one's own, and what a router makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.learning.worlds import World, many_lanes, planted, word_problems

GOOD = '{"prompt": "Hi", "scores": {"a": 0, "b": true}, "cost": {"a": 1, "b": 2}}'


def kept(folder: Path, world: World) -> None:
    lines = [json.dumps(line, ensure_ascii=False) for line in world.lines()]
    (folder / "outcomes.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_two_lanes_have_apgr_and_a_cascade(tmp_path: Path, run: Run) -> None:
    kept(tmp_path, word_problems(700, 1))
    done = run("learn", "--eval", "outcomes.jsonl", "--n", "0,100,300", "--draws", "4", "--json")
    told = json.loads(done.text)
    assert list(told) == ["rows", "lanes", "results"]
    assert (told["rows"], told["lanes"]) == (700, ["weak", "strong"])
    assert [result["n"] for result in told["results"]] == [0, 100, 300]
    first, _, last = told["results"]
    assert list(first) == [
        "n", "draws", "apgr", "area", "cascade_apgr", "baselines", "gate_live_share", "loss_against_incumbent", "ece",
        "fit_s", "suggest_ms_p95",
    ]  # fmt: skip
    assert list(first["apgr"]) == ["mean", "low", "high"]
    assert list(first["baselines"]) == ["constant", "length", "random"]
    assert first["apgr"]["mean"] == pytest.approx(first["baselines"]["length"], abs=0.02)
    assert first["apgr"]["mean"] > 0.55
    assert first["apgr"]["low"] <= first["apgr"]["mean"] <= first["apgr"]["high"]
    assert first["cascade_apgr"]["mean"] > 0.65
    assert last["cascade_apgr"]["mean"] > last["apgr"]["mean"] + 0.05
    assert all(0 <= result["loss_against_incumbent"] <= 0.002 for result in told["results"])


def test_many_lanes_have_an_area(tmp_path: Path, run: Run) -> None:
    kept(tmp_path, many_lanes(1600, 1, lanes=9))
    done = run("learn", "--eval", "outcomes.jsonl", "--n", "300,1000", "--draws", "3", "--json")
    some, more = json.loads(done.text)["results"]
    assert some["apgr"] is more["apgr"] is None
    assert 0 < some["area"]["mean"] < more["area"]["mean"]
    assert abs(some["baselines"]["constant"]) < some["area"]["mean"]


def test_what_is_planted_is_found_and_gone_when_shuffled(tmp_path: Path, run: Run) -> None:
    kept(tmp_path, planted(600, 2))
    arguments = ("learn", "--eval", "outcomes.jsonl", "--n", "200", "--draws", "3", "--seed", "5", "--json")
    (found,) = json.loads(run(*arguments).text)["results"]
    (nothing,) = json.loads(run(*arguments, "--shuffle").text)["results"]
    assert found["gate_live_share"] == 1
    assert found["loss_against_incumbent"] < -0.1
    assert found["area"]["mean"] > 0.3
    assert nothing["area"]["mean"] < 0.1
    assert abs(nothing["loss_against_incumbent"]) <= 0.01


def test_the_same_seed_gives_the_same_figures(tmp_path: Path, run: Run) -> None:
    kept(tmp_path, planted(200, 2))
    timed = {"fit_s", "suggest_ms_p95"}
    found = [
        [
            {key: value for key, value in result.items() if key not in timed}
            for result in json.loads(
                run("learn", "--eval", "outcomes.jsonl", "--n", "0,60", "--seed", seed, "--json").text
            )["results"]
        ]
        for seed in ("1", "1", "2")
    ]
    assert found[0] == found[1] != found[2]


def test_a_table_tells_the_same_to_people(tmp_path: Path, run: Run) -> None:
    kept(tmp_path, word_problems(120, 1))
    done = run("learn", "--eval", "outcomes.jsonl", "--draws", "2")
    assert done.code == 0
    assert "120 prompts, 2 lanes: weak, strong" in done.text
    assert "APGR" in done.text
    assert "n = 300 is left out" in done.notes


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nope", "line 2: this is not JSON: Expecting value at column 1"),
        ("[1, 2]", "line 2: a line is an object"),
        ('{"scores": {"a": 1}}', 'line 2: there is no text under "prompt"'),
        ('{"prompt": "x"}', "line 2: there is no score"),
        ('{"prompt": "x", "scores": []}', 'line 2: "scores" is an object'),
        ('{"prompt": "x", "scores": {"a": 1.2}}', "line 2: the score of a is 1.2, which is not from 0 to 1"),
        ('{"prompt": "x", "scores": {"a": "1"}}', "line 2: the score of a is no number"),
        ('{"prompt": "x", "scores": {"a": NaN}}', "line 2: NaN is no number that JSON has"),
        ('{"prompt": "x", "scores": {"a": 1e999}}', "line 2: the score of a is inf"),
        ('{"prompt": "x", "scores": {"a": 1}, "cost": {"a": -1}}', "line 2: the cost of a is -1"),
        ('{"prompt": "x", "scores": {"a": 1}, "cost": {"a": true}}', "line 2: the cost of a is no number"),
        ('{"prompt": "x", "scores": {"a": 1}, "answers": {"a": 7}}', "line 2: the answer of a is no text"),
        ("[" * 100_000, "line 2: this is JSON in too many layers"),
        ('{"prompt": "\\ud800", "scores": {"a": 1}}', "line 2: half of a surrogate pair is no text"),
    ],
)
def test_a_bad_line_is_named(line: str, told: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "outcomes.jsonl").write_text(f"{GOOD}\n{line}\n{GOOD}\n", encoding="utf-8")
    done = run("learn", "--eval", "outcomes.jsonl")
    assert done.code == 2
    assert told in done.notes
    assert "of 3 lines 1 can't be used" in done.notes
    assert "Traceback" not in done.notes


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "has no line"),
        (b"\n \n", "has no line"),
        (b'\xff\xfe{"prompt"', "can't be used"),
        (b'{"prompt": "\xff", "scores": {"a": 1}}', "this is not UTF-8 text"),
        (b"PK\x03\x04rest", "a spreadsheet"),
        (b'{"prompt": "x", "scores": {"a": 1}}\n' * 3, "one lane at most"),
        (b'{"prompt": "x", "scores": {"a": 1}}\n{"prompt": "x", "scores": {"b": 1}}\n', "have a score of every lane"),
        (b'{"prompt": "x", "scores": {"a": 1, "b": 0}, "cost": {"a": 1}}\n' * 3, "No line tells what b cost"),
    ],
)
def test_a_file_that_is_of_no_use_is_a_sentence(data: bytes, told: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "outcomes.jsonl").write_bytes(data)
    done = run("learn", "--eval", "outcomes.jsonl", "--n", "1")
    assert done.code == 2
    assert told in done.notes
    assert "Traceback" not in done.notes


@pytest.mark.parametrize("sizes", ["", "x", "1,-2", "1.5", "99999999", "²"])
def test_numbers_that_are_none_are_wrong_usage(sizes: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "outcomes.jsonl").write_text(GOOD)
    done = run("learn", "--eval", "outcomes.jsonl", "--n", sizes)
    assert done.code == 2
    assert "--n" in done.notes


@pytest.mark.parametrize("name", ["gone.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(name: str, run: Run) -> None:
    done = run("learn", "--eval", name)
    assert (done.code, "can't be read" in done.notes) == (2, True)


def test_files_come_as_people_save_them(tmp_path: Path, run: Run) -> None:
    text = (GOOD + "\r\n") * 4
    for data in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.rstrip().encode()):
        (tmp_path / "outcomes.jsonl").write_bytes(data)
        assert json.loads(run("learn", "--eval", "outcomes.jsonl", "--n", "2", "--json").text)["rows"] == 4


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": "x", "scores": {"a": 0, "b": 1}}',  # no cost at all
        '{"prompt": "x", "scores": {"a": 0, "b": 1}, "cost": {"a": 0, "b": 0}}',
        '{"prompt": "x", "scores": {"a": 0, "b": 1}, "cost": {"a": 0, "b": 3}}',
        '{"prompt": "x", "scores": {"a": 1, "b": 1}, "cost": {"a": 1, "b": 3}}',  # nothing to gain
        '{"prompt": "x", "scores": {"a": 1, "b": 0}, "cost": {"a": 1, "b": 3}, "answers": {"a": ""}}',
        '{"prompt": "12 + 3", "scores": {"a": 0.25, "b": 0.5, "c": 1}, "cost": {"a": 1, "b": 3, "c": null}, "answers": null}',
    ],
)
def test_outcomes_that_leave_nothing_to_learn_are_no_fault(line: str, tmp_path: Path, run: Run) -> None:
    other = line.replace('"c": null', '"c": 9').replace('"x"', '"y z"')
    (tmp_path / "outcomes.jsonl").write_text(f"{line}\n{other}\n" * 60)
    done = run("learn", "--eval", "outcomes.jsonl", "--n", "0,1,2,3,60", "--draws", "2", "--json")
    assert done.code == 0, done.notes
    assert len(json.loads(done.text)["results"]) == 5
