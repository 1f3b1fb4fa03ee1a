"""The job with inspect_ai: `python -m tests.benchmarks.batch.inspect_job BASE_URL FOLDER`, where inspect_ai is there."""

from __future__ import annotations

import sys

from inspect_ai import Task
from inspect_ai import eval as run
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.solver import generate

from tests.benchmarks.batch.job import AT_ONCE, KEY, MODELS, questions


def main(base_url: str, logs: str) -> None:
    """Ask all; logs go to `logs` as they always do."""
    task = Task(dataset=MemoryDataset([Sample(input=each) for each in questions()]), solver=generate())
    models = [
        get_model(f"openai/m{number}", base_url=base_url, api_key=KEY, responses_api=False) for number in range(MODELS)
    ]
    found = run(
        task, model=models, max_tasks=MODELS, max_connections=AT_ONCE // MODELS, display="none", log_dir=logs,
        max_tokens=64,
    )  # fmt: skip
    assert [log.status for log in found] == ["success"] * MODELS


if __name__ == "__main__":
    main(*sys.argv[1:])
