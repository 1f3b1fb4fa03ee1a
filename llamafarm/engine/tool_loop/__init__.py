"""The tool loop of one lane: turns, calls and their results."""
