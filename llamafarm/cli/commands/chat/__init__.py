"""`lf chat`."""
