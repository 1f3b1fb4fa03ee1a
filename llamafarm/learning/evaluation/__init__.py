"""Trying the method on outcomes that are known."""
