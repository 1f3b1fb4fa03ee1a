"""The job, as each program wants to be told of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.mock import DurationEstimate

PROMPTS, MODELS, AT_ONCE = 200, 4, 32
PACE = DurationEstimate(ttft_s=0.05, gap_s=0.002, tokens=20)
IDEAL_S = PROMPTS * MODELS / AT_ONCE * PACE.ideal_s
CALLS = PROMPTS * MODELS
KEY = "none"


def questions() -> list[str]:
    """The prompts."""
    return [f"Question {number}: what do llamas eat?" for number in range(PROMPTS)]


def write_ours(folder: Path, base_url: str) -> None:
    """A project file and the prompts as CSV."""
    models = [
        {"name": f"model-{number}", "provider": "openai", "model": f"m{number}", "base_url": base_url, "api_key": KEY}
        for number in range(MODELS)
    ]
    project = {"version": "v1", "name": "p", "namespace": "n", "runtime": {"models": models}}
    (folder / "llamafarm.json").write_text(json.dumps(project))
    (folder / "prompts.csv").write_text("prompt\n" + "".join(f"{each}\n" for each in questions()))


def write_promptfoo(folder: Path, base_url: str) -> None:
    """promptfoo's configuration."""
    provider = {"apiBaseUrl": base_url, "apiKey": KEY, "stream": False, "max_tokens": 64}
    config = {
        "prompts": ["{{q}}"],
        "providers": [
            {"id": f"openai:chat:m{number}", "label": f"model-{number}", "config": provider} for number in range(MODELS)
        ],
        "tests": [{"vars": {"q": each}} for each in questions()],
    }
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
