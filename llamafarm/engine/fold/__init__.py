"""A lane's events as one reply: the fold, what is measured, and what kept the answer waiting."""
