"""What a proxy in front of a model server costs: `uv run python -m tests.benchmarks.proxy`."""
