"""What is written to a terminal, and how it is stopped."""
