"""Models × values of one parameter × repeats × prompts."""
