"""Expecting scores from features: the space of prompts, ridge, neighbours, and their mixture."""
