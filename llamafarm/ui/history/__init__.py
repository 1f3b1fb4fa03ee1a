"""The History tab: what was asked before."""
