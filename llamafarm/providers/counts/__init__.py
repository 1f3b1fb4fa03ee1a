"""Reads the token counts and costs that servers report. Pure."""
