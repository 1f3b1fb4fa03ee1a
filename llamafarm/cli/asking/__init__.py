"""What is asked and of whom: options, prompts, the project, a remote server."""
