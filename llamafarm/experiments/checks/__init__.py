"""Checks of an answer that need no judgement, within bounds of time."""
