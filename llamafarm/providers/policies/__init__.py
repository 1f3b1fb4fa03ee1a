"""Policies: each wraps a provider, and is one."""
