"""What of an answer shows whether it will do."""
