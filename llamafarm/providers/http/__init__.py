"""Speaking HTTP to model servers: the client, one exchange, its deadlines, and what can go wrong."""
