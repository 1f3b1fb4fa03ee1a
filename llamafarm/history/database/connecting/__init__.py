"""Where the history is kept, and how it is reached."""
