"""`lf sweep`."""
