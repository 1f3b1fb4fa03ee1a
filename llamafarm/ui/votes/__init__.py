"""Votes, also blind ones."""
