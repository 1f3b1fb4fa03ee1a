"""The OpenAI-compatible API: the same engine for programs."""
