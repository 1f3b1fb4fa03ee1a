"""A model server that does what it is told: answers, stalls, breaks, and logs what it saw."""
