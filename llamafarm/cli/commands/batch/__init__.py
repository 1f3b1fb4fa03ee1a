"""`lf batch`."""
