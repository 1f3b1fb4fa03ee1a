"""Bytes of a project file to plain values, each with its place in the text: YAML, JSON and TOML."""
