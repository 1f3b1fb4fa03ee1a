"""Chat completions: from a request to its answer, streamed or whole."""
