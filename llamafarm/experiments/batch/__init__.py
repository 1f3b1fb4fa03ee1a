"""Every row of a file of prompts, asked of every model."""
