"""Measurements to be run by hand; the suite does not collect them. See `tests.benchmarks.lanes`."""
