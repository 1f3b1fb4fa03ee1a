"""The Routing page: what one's own comparisons teach, what to vote on next, its regret, and the dial."""
