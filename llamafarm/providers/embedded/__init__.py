"""llama.cpp on this machine: the provider, its process, and what requests may ask."""
