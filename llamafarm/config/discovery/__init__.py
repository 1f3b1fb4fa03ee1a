"""A project of what a machine has: models that servers list, and keys that the environment names. Pure."""
