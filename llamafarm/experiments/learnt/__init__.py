"""What the history of a project teaches a router: gathered, learnt, replayed and measured."""
