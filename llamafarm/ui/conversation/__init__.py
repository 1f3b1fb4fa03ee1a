"""A conversation that goes on in every lane."""
