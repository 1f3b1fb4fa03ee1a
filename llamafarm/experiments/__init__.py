"""Many comparisons: what they are made from."""
