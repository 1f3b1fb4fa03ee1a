"""Bytes to lines to records. Pure: no network, and any split of the bytes gives the same records."""
