"""Which model servers answer on this machine, and what they list. Nothing but GET is sent, and nothing is loaded."""
