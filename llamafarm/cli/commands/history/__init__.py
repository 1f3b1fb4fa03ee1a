"""`lf history`."""
