"""One job for several programs: a file of prompts to four models. See `__main__`."""
